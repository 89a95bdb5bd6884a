"""The command line in this process: what it ends with, and what it prints."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from keyrack import cli


@dataclass
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that it printed."""
        assert 1 == self.out.count("\n"), self.out + self.err
        found: dict[str, Any] = json.loads(self.out)
        return found


Command = Callable[..., Ended]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["keyrack", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run
