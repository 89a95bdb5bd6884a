"""Where a server logs: structured, to standard error, with every key-shaped string masked. Standard output is for answers."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from keyrack.model.calls import CURRENT
from keyrack.model.request_logs import Mask

TEXT_LENGTH_MAX = 20_000


def configure(prefixes: Sequence[str], level: int = logging.INFO, form: str = "auto") -> None:
    """Send what this process logs, through structlog or the standard library, to standard error.

    `form` is `json`, `console` (lines to read) or `auto`: lines for people at a terminal, JSON for everything else. What is logged while a
    call runs names its request id. Tracebacks never hold the values of variables. `prefixes` are what this host's secrets begin with.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _name_call,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _Masking(prefixes),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    last = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(form)]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # What these say of their own life is told by our commands, in one line each; each call to a vendor by its connector's log.
    for name in ("uvicorn", "alembic", "httpx", "stripe"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_true)


def _is_true(record: logging.LogRecord) -> bool:
    """uvicorn says this of each handshake that was refused with a document, though it was answered: anybody could fill the log with it."""
    return record.msg != "ASGI callable returned without completing handshake."


def _name_call(_logger: Any, _method: str, line: EventDict) -> EventDict:
    call = CURRENT.get()
    if call is not None:
        line.setdefault("request_id", call.request_id)
    return line


def _renderer(form: str) -> Processor:
    if form == "console" or (form == "auto" and sys.stderr.isatty()):
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer()


class _Masking:
    """Masks what looks like a secret in every text of a line: an error of some library may quote what a client sent."""

    def __init__(self, prefixes: Sequence[str]) -> None:
        self._mask = Mask(prefixes)

    def __call__(self, _logger: Any, _method: str, line: EventDict) -> EventDict:
        for name, value in line.items():
            if isinstance(value, str):
                # A traceback keeps its lines; within a line nothing moves the cursor.
                line[name] = "\n".join(self._mask(part, TEXT_LENGTH_MAX) for part in value.split("\n"))
        return line
