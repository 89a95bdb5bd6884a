"""The command line as its users run it: in processes of its own, with a bound on every wait."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

KEYRACK = Path(sys.executable).with_name("keyrack")
SECONDS_MAX = 60


def environment(**variables: str) -> dict[str, str]:
    """The environment of a command: nothing of the developer's own settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("KEYRACK_", "ATRIUM_"))}
    return own | variables


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [KEYRACK, *arguments], cwd=folder, env=environment(**variables), capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )


class Program:
    """A server that runs. Its output is in files, which hold all of it when it has ended."""

    def __init__(self, folder: Path, name: str, arguments: tuple[str, ...], variables: dict[str, str]) -> None:
        self._out, self._err = folder / f"{name}.out", folder / f"{name}.err"
        with self._out.open("w") as out, self._err.open("w") as err:
            # A session of its own, by which its workers are found where it was killed before them.
            self.process = subprocess.Popen(
                [KEYRACK, *arguments], cwd=folder, env=environment(**variables), stdout=out, stderr=err, start_new_session=True
            )

    @property
    def out(self) -> str:
        """All that it has written to standard output."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """All that it has written to standard error."""
        return self._err.read_text()

    def first_line(self) -> dict[str, Any]:
        """Wait for the first whole line on standard output, and return the object that it is."""
        self.wait_for(lambda: "\n" in self.out)
        line: dict[str, Any] = json.loads(self.out.splitlines()[0])
        return line

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds; fail when the program has ended before, or it takes too long."""
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.err}"
            assert time.monotonic() < deadline, f"waited in vain: {self.out}{self.err}"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(how)
        return self.process.wait(SECONDS_MAX)


@contextmanager
def running(folder: Path, *arguments: str, name: str = "program", **variables: str) -> Iterator[Program]:
    """Run a server for the length of a block."""
    program = Program(folder, name, arguments, variables)
    try:
        yield program
    finally:
        with suppress(ProcessLookupError):
            os.killpg(program.process.pid, signal.SIGKILL)
        program.process.wait(SECONDS_MAX)
