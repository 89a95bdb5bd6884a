"""The server's own log: JSON or lines, each of a call with its request id; another server's access log without URLs that hold secrets."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from keyrack import Brand, Keyrack, Settings
from keyrack.cli import server_log
from keyrack.embed import access_logs
from keyrack.model.calls import CURRENT, Call
from keyrack.model.request_logs import Mask

SECRET = "acme_7hTq0ZbX3mKd9RfVwY2cLpN5sGjE8a4u1Bv6"


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    """What is set for the whole process is set back."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def test_lines_of_a_call_name_its_request_id_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    server_log.configure(["acme"], form="json")
    token = CURRENT.set(Call("GET", "/x", "req_1", 0, 0))
    try:
        logging.getLogger("host").warning("said %s", SECRET)
    finally:
        CURRENT.reset(token)
    logging.getLogger("host").warning("later")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert ("req_1", "warning", "host") == (first["request_id"], first["level"], first["logger"])
    assert SECRET not in first["event"]
    assert "acme_7hTq***" in first["event"]
    assert "request_id" not in second


def test_console_has_lines_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    server_log.configure(["acme"], form="console")
    logging.getLogger("host").warning("hello")
    printed = capsys.readouterr().err
    assert "hello" in printed
    with pytest.raises(json.JSONDecodeError):
        json.loads(printed)


def test_access_log_of_uvicorn_has_neither_queries_nor_secrets(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger(access_logs.NAME)
    handler = logging.NullHandler()
    logger.addHandler(handler)
    try:
        access_logs.guard(Mask(["acme"]))
        access_logs.guard(Mask(["acme"]))
        with caplog.at_level(logging.INFO, access_logs.NAME):
            logger.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", f"/api/{SECRET}?key={SECRET}", "1.1", 200)
    finally:
        logger.removeHandler(handler)
        logger.filters.clear()
    (line,) = caplog.messages
    assert '127.0.0.1:1 - "GET /api/acme_7hTq***?… HTTP/1.1" 200' == line


def test_no_access_log_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger(access_logs.NAME)
    # Another test's server in this process may have configured it.
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "filters", [])
    access_logs.guard(Mask(["acme"]))
    assert [] == logger.filters


def test_metrics_token_is_in_no_text_of_the_settings(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, metrics_token="a-token-of-24-characters")
    rack = Keyrack(settings, brand=Brand("Acme", "acme"))
    assert "a-token-of" not in f"{settings!r} {settings} {rack.settings.model_dump()}"
    rack.assembly.counters.close()
