"""A guard over the whole test run: no test leaves a secret that was made in this process in its files, its output or a database.

Where a test writes one down on purpose, for a process that it starts, the file's name ends in `.secret`.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from keyrack.crypto.format import RANDOM_PLACES, Secret

_CANDIDATE = re.compile(rb"_([0-9A-Za-z]{%d})" % RANDOM_PLACES)
_made: set[bytes] = set()


@pytest.fixture(scope="session", autouse=True)
def remember_secrets() -> Iterator[None]:
    """Have every secret of this process remembered when it is made: by its random part, which the whole of it contains."""
    make = Secret.__init__

    def remember(self: Secret, text: str) -> None:
        make(self, text)
        _made.add(text[text.rfind("_") + 1 :][:RANDOM_PLACES].encode(errors="replace"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Secret, "__init__", remember)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test, at its very end, over the secrets that it has left behind."""
    report = yield
    if report.when == "teardown" and report.passed and _made:
        printed = "\n".join(text for _, text in report.sections).encode(errors="replace")
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        places = [*_holding(_files(folder) if folder else ()), *(["output"] if _holds(printed) else [])]
        if places:
            report.outcome, report.longrepr = "failed", f"left a secret behind, in: {', '.join(places)}"
    return report


def left_in(folder: Path) -> list[str]:
    """Return the files below a folder that hold any secret made so far."""
    return list(_holding(_files(folder)))


def _holding(files: Iterable[Path]) -> Iterator[str]:
    for path in files:
        with suppress(FileNotFoundError):  # of what a running server tidies up
            if _holds(path.read_bytes()):
                yield str(path)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix != ".secret" and path.is_file() and not path.is_symlink())


def _holds(data: bytes) -> bool:
    return any(found[1] in _made for found in _CANDIDATE.finditer(data))
