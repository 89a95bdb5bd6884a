"""Forked children: other processes that count in the same file, and may be stopped or killed at any instruction."""

import os
import signal
from collections.abc import Callable
from mmap import mmap


class Child:
    """A forked process that runs `work`. Its last words, an integer, are what `work` returned."""

    def __init__(self, work: Callable[[], int]) -> None:
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.write(write, work().to_bytes(8, "little"))
                status = 0
            finally:
                os._exit(status)
        os.close(write)

    def result(self) -> int:
        """Wait for the end, and return what the work returned."""
        _, status = os.waitpid(self.pid, 0)
        with os.fdopen(self._read, "rb") as words:
            said = words.read()
        assert 0 == status
        return int.from_bytes(said, "little")

    def wait_until_stopped(self) -> None:
        """Wait until the child has stopped itself with SIGSTOP."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def wait_until_killed(self) -> None:
        """Wait until the child has killed itself."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self._read)
        assert signal.SIGKILL == os.WTERMSIG(status)

    def kill(self) -> None:
        """End the child as the kernel does when memory runs out: at once, wherever it is."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._read)


def shared_words(count: int) -> memoryview:
    """Return integers that forked children write and we read."""
    return memoryview(mmap(-1, 8 * count)).cast("q")
