"""Build wheel and sdist, install both and the checkout itself into fresh environments, and use each: `python -m checks.packaging`.

Wheel and sdist are installed where npm reaches nothing: what browsers load is in them.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")

# Run in a fresh environment, away from the checkout, so that nothing but the installed package can answer. Every module is imported, so
# none needs what only developers have; the contract suites in keyrack.testing may, and a migration is run, never imported.
IMPORT = """
from importlib import import_module
from importlib.resources import files
from pkgutil import walk_packages
import atrium, keyrack
for package in (atrium, keyrack):
    assert files(package).joinpath("py.typed").is_file()
    for module in walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.startswith(("keyrack.testing", "keyrack.store.migrations")) and not module.name.endswith("__main__"):
            import_module(module.name)
"""

# Serve the sign-in page from the installed package, and fetch what it loads.
FETCH = """
import asyncio, re, tempfile
from pathlib import Path
import httpx
from fastapi import FastAPI
from keyrack import Brand, Keyrack, Settings

async def main(folder):
    app = FastAPI()
    rack = Keyrack(Settings(data=Path(folder)), brand=Brand("Acme", key_prefix="acme"))
    rack.install(app)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://acme.test") as client:
        page = (await client.get("/console/sign-in")).text
        addresses = re.findall('(?:href|src)="([^"]*/static/[^"]*)"', page)
        sizes = {address.rpartition("/")[2]: len((await client.get(address)).raise_for_status().content) for address in addresses}
        assert sizes["console.css"] > 1000 and sizes["tabler.css"] > 100_000 and sizes["console.js"] > 100, sizes
        print(f"{len(sizes)} assets")

with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
"""
NOWHERE = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_cache": "/nonexistent"}


def main() -> None:
    """Print one line for each way to install that works; the first one that does not ends the run with its own message."""
    with tempfile.TemporaryDirectory(prefix="keyrack-packaging-") as name:
        folder = Path(name)
        _run(folder, sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", ROOT)
        (wheel,) = (folder / "dist").glob("*.whl")
        (sdist,) = (folder / "dist").glob("*.tar.gz")
        ways: dict[str, tuple[str | Path, ...]] = {"wheel": (wheel,), "sdist": (sdist,), "editable": ("--editable", ROOT)}
        for way, target in ways.items():
            _install(folder, folder / way, *target, **({} if way == "editable" else NOWHERE))
            print(f"{way}: {_use(folder, folder / way)}")


def _install(folder: Path, venv: Path, *target: str | Path, **variables: str) -> None:
    """Make an environment of the locked requirements and nothing else, then put the package into it."""
    _run(folder, UV, "venv", "--quiet", "--no-project", "--python", sys.executable, venv)
    pip: tuple[str | Path, ...] = (UV, "pip", "install", "--quiet", "--python", venv / "bin" / "python")
    _run(folder, *pip, "--require-hashes", "-r", ROOT / "requirements.lock")
    _run(folder, *pip, "--no-deps", "--build-constraints", ROOT / "requirements-build.lock", *target, **variables)


def _use(folder: Path, venv: Path) -> str:
    """Import all modules, fetch what the console's pages load, and ask the command for its version."""
    _run(folder, venv / "bin" / "python", "-c", IMPORT)
    assets = _run(folder, venv / "bin" / "python", "-c", FETCH).strip()
    return f"{_run(folder, venv / 'bin' / 'keyrack', '--version').strip()}, {assets}"


def _run(folder: Path, *command: str | Path, **variables: str) -> str:
    """Run a command outside the checkout and return what it printed; where it fails, print that and end."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("KEYRACK_", "PYTHON", "VIRTUAL_ENV"))}
    result = subprocess.run(
        list(map(str, command)), cwd=folder, env=env | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stdout}")
    return result.stdout


if __name__ == "__main__":
    main()
