"""`keyrack serve`: a host's app in processes of its own, stopped without failing a call."""

import asyncio
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from keyrack import Brand, Category, Keyrack, Settings
from keyrack.manage import keys
from keyrack.model.permissions import ALL, Level, Rights
from keyrack.store.migrations import migrate
from tests.cli.programs import Program, run, running

SHOP = """
import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from keyrack import Brand, Category, Keyrack, Settings


@asynccontextmanager
async def lifespan(app):
    Path(f"worker-{os.getpid()}").touch()
    yield


app = FastAPI(lifespan=lifespan)
rack = Keyrack(Settings(), brand=Brand("Shop", "shop"), categories=[Category("orders", "Orders")])


@app.get("/api/v1/slow", dependencies=[rack.requires("orders:read")])
async def slow():
    Path("begun").touch()
    while not Path("go-on").exists():
        await asyncio.sleep(0.01)
    return {"served_by": os.getpid()}


rack.install(app)
"""
WRAPPED = """
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from shop import app

app = ProxyHeadersMiddleware(app, trusted_hosts="*")
"""
OPEN = """
from fastapi import FastAPI

from keyrack import Brand, Keyrack, Settings

app = FastAPI()
rack = Keyrack(Settings(), brand=Brand("Shop", "shop"))


@app.get("/api/v1/forgotten")
async def forgotten():
    return {}


rack.install(app)
"""
SERVE = ("serve", "shop:app", "--port", "0", "--data", "data", "--json")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a host's module."""
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


async def key_in(folder: Path) -> str:
    """Make a workspace with a key in a data folder, as the shop would."""
    settings = Settings(data=folder)
    rack = Keyrack(settings, brand=Brand("Shop", "shop"), categories=[Category("orders", "Orders")])
    await migrate(settings.store_url, settings.traffic_url)
    workspace = await rack.workspaces.create("Corner")
    operator = await rack.workspaces.operator(workspace.id)
    issued = await keys.create(rack.assembly.desk, operator, name="till", rights=Rights(permissions={ALL: Level.WRITE}))
    await rack.assembly.store.close()
    return issued.secret.text


@pytest.mark.parametrize("workers", [1, 2])
def test_running_call_is_finished_after_sigterm(shop: Path, workers: int) -> None:
    key = asyncio.run(key_in(shop / "data"))
    headers = {"Authorization": f"Bearer {key}"}
    with running(shop, *SERVE, "--workers", str(workers)) as program, ThreadPoolExecutor() as pool:
        served = program.first_line()
        assert ("shop:app", workers) == (served["app"], served["workers"])
        slow = pool.submit(httpx.get, f"{served['url']}/api/v1/slow", headers=headers, timeout=60)
        program.wait_for((shop / "begun").exists)
        program.process.send_signal(signal.SIGTERM)
        program.wait_for(lambda: _refuses(served["url"]))
        (shop / "go-on").touch()
        answer = slow.result(60)
        assert 0 == program.process.wait(60)
    assert 200 == answer.status_code
    served_by = {int(path.name.removeprefix("worker-")) for path in shop.glob("worker-*")}
    assert workers == len(served_by)
    assert (program.process.pid in served_by) == (workers == 1)
    assert answer.json()["served_by"] in served_by
    assert 1 == program.out.count("\n")


def test_worker_that_dies_is_replaced(shop: Path) -> None:
    with running(shop, *SERVE, "--workers", "2") as program:
        url = program.first_line()["url"]
        one = next(shop.glob("worker-*"))
        os.kill(int(one.name.removeprefix("worker-")), signal.SIGKILL)
        program.wait_for(lambda: len(list(shop.glob("worker-*"))) == 3)
        assert 401 == httpx.get(f"{url}/api/v1/me", timeout=30).status_code
        assert 0 == program.stop()


def test_addresses_rewritten_in_front_are_warned_about(shop: Path) -> None:
    (shop / "wrapped.py").write_text(WRAPPED)
    with running(shop, "serve", "wrapped:app", "--port", "0", "--data", "data", "--json") as program:
        program.first_line()
        program.stop()
    assert "KEYRACK_TRUSTED_PROXIES" in _event(program, "proxy_headers_in_front")["advice"]


@pytest.mark.parametrize("workers", [1, 2])
def test_route_that_declares_nothing_stops_the_start(tmp_path: Path, workers: int) -> None:
    (tmp_path / "open.py").write_text(OPEN)
    result = run(tmp_path, "serve", "open:app", "--port", "0", "--data", "data", "--workers", str(workers), "--json")
    assert result.returncode not in (0, 1)
    assert "" == result.stdout
    assert "/api/v1/forgotten" in result.stderr


def _event(program: Program, name: str) -> dict[str, str]:
    lines = [json.loads(line) for line in program.err.splitlines()]
    (found,) = [line for line in lines if line["event"] == name]
    return dict(found)


def _refuses(url: str) -> bool:
    """Whether nobody takes new connections there."""
    try:
        httpx.get(f"{url}/healthz", timeout=5)
    except httpx.TransportError:
        return True
    return False
