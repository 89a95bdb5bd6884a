"""A receiver in a thread of its own: it goes on while the event loop of the test stands still."""

import socket
import threading
from types import TracebackType


class Threaded:
    """Takes one connection, notes the first byte of it, answers, and closes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._line = socket.create_server(("127.0.0.1", 0))
        self._line.settimeout(30)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.first_byte = threading.Event()
        self.url = f"http://127.0.0.1:{self._line.getsockname()[1]}/"

    def __enter__(self) -> "Threaded":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._line.close()
        self._thread.join(30)

    def _serve(self) -> None:
        line, _ = self._line.accept()
        with line:
            if line.recv(65_536):
                self.first_byte.set()
                line.sendall(self._answer)
