"""What reaches a terminal: nothing that it would obey instead of showing."""

import json
import logging

import pytest
import structlog

from keyrack.cli import printing, server_log
from keyrack.crypto.format import mint


@pytest.mark.parametrize("text", ["\x1b[2Jname", "na\rme", "na\nme", "na\x9b1mme", "na\u202eme", "na\u2028me", "\x00\x7f"])
def test_name_cannot_move_the_cursor_or_forge_a_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_table(["NAME"], [[text]], "")
    printing.print_lines(text)
    out = capsys.readouterr().out
    assert 3 == out.count("\n")
    assert not {place for place in out if not place.isprintable()} - {"\n"}


def test_json_is_one_ascii_line(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_json({"name": "é\u2028\x1b\n"})
    out = capsys.readouterr().out
    assert (1, True, "é\u2028\x1b\n") == (out.count("\n"), out.isascii(), json.loads(out)["name"])


def test_log_goes_to_standard_error_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    secret = mint("shop").text
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    try:
        server_log.configure(["shop"])
        try:
            raise ValueError(f"the key {secret}")
        except ValueError:
            structlog.get_logger("keyrack").exception("job_failed", key=secret)
            logging.getLogger("uvicorn.error").exception("crashed with %s", secret)
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
    out, err = capsys.readouterr()
    assert ("", 2) == (out, len(err.splitlines()))
    assert secret not in err
    assert "job_failed" == json.loads(err.splitlines()[0])["event"]
    assert 2 == err.count("ValueError: the key shop_")
