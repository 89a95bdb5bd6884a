"""The demo server under a brand, in a process of its own, as anybody starts it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.programs import running


@dataclass(frozen=True)
class Demo:
    """A demo that runs. The repr hides its secrets."""

    url: str
    sign_in_url: str
    live_key: str
    admin_key: str

    def __repr__(self) -> str:
        return f"Demo({self.url!r}, …)"


@contextmanager
def demo(folder: Path, brand: str, *options: str) -> Iterator[Demo]:
    """Run the demo for the length of a block, with its data in a folder."""
    arguments = ("demo", "--brand", brand, "--port", "0", "--json", "--data", str(folder / "data"), *options)
    with running(folder, *arguments, name=f"demo-{brand}") as program:
        line = program.first_line()
        yield Demo(line["url"], line["sign_in_url"], line["live_key"], line["admin_key"])
