"""Real proxies on this machine, with the configurations that operators are given."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import sample
from time import monotonic, sleep

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
SECONDS_MAX = 20
PORTS = range(20_000, 32_000)
NODES = ("node1:8000", "node2:8000")
_NGINX = """
daemon off;
error_log {folder}/error.log;
pid {folder}/pid;
events {{ }}
http {{
    {paths}
{content}
}}
"""
_NGINX_PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def free_port() -> int:
    """Return a port of this machine that nobody uses, below those that the system gives to connections: it may be free for a while."""
    for port in sample(PORTS, len(PORTS)):
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


@contextmanager
def proxying(kind: str, folder: Path, nodes: tuple[str, str]) -> Iterator[int]:
    """Run a proxy before two nodes (host:port), and give its port. Skips the test where it is not installed."""
    if shutil.which(kind) is None:
        pytest.skip(f"{kind} is not installed: apt-get install {'nginx-light' if kind == 'nginx' else kind}")
    port = free_port()
    command = _COMMANDS[kind](folder, nodes, port)
    with (folder / f"{kind}.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        _wait(process, port, folder / f"{kind}.log")
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS_MAX)


def _with_nodes(text: str, nodes: tuple[str, str]) -> str:
    for name, address in zip(NODES, nodes, strict=True):
        assert name in text
        text = text.replace(name, address)
    return text


def _nginx(folder: Path, nodes: tuple[str, str], port: int) -> list[str]:
    content = _with_nodes((DEPLOY / "nginx.conf").read_text(), nodes)
    assert "listen 80;" in content
    content = content.replace("listen 80;", f"listen 127.0.0.1:{port};")
    paths = " ".join(f"{name}_temp_path {folder}/{name};" for name in _NGINX_PATHS)
    path = folder / "nginx.conf"
    path.write_text(_NGINX.format(folder=folder, paths=paths, content=content))
    subprocess.run(["nginx", "-t", "-q", "-c", path, "-p", folder], check=True, timeout=SECONDS_MAX)
    return ["nginx", "-c", f"{path}", "-p", f"{folder}"]


def _haproxy(folder: Path, nodes: tuple[str, str], port: int) -> list[str]:
    content = _with_nodes((DEPLOY / "haproxy.cfg").read_text(), nodes)
    assert "bind *:80" in content
    path = folder / "haproxy.cfg"
    path.write_text(content.replace("bind *:80", f"bind 127.0.0.1:{port}"))
    subprocess.run(["haproxy", "-c", "-q", "-f", path], check=True, timeout=SECONDS_MAX)
    return ["haproxy", "-db", "-f", f"{path}"]


def _caddy(folder: Path, nodes: tuple[str, str], port: int) -> list[str]:
    content = _with_nodes((DEPLOY / "Caddyfile").read_text(), nodes)
    assert "\n:80 {" in content
    path = folder / "Caddyfile"
    path.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + content.replace("\n:80 {", f"\nhttp://127.0.0.1:{port} {{"))
    return ["caddy", "run", "--config", f"{path}", "--adapter", "caddyfile"]


_COMMANDS: dict[str, Callable[[Path, tuple[str, str], int], list[str]]] = {"nginx": _nginx, "haproxy": _haproxy, "caddy": _caddy}


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until a call comes through to a node."""
    deadline = monotonic() + SECONDS_MAX
    while True:
        assert process.poll() is None, log.read_text()
        assert monotonic() < deadline, log.read_text()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as one:
                one.sendall(b"GET /healthz HTTP/1.1\r\nHost: acme.test\r\nConnection: close\r\n\r\n")
                if one.recv(100).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            pass
        sleep(0.05)
