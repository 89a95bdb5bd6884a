"""The access log of the server around us, where it has one: it would write down whole URLs, which Keyrack's own log never does."""

import logging

import structlog

from keyrack.model.request_logs import PATH_LENGTH_MAX, Mask

log = structlog.get_logger("keyrack")
NAME = "uvicorn.access"
# The one of uvicorn's arguments that is a path with its query: client, method, path, HTTP version, status.
PATH_PLACE, PLACES = 2, 5


class WithoutQueries(logging.Filter):
    """Cuts queries off, and masks what looks like a secret in the rest."""

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self._mask = mask

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every line."""
        found = record.args
        if isinstance(found, tuple) and len(found) == PLACES:
            path, question, _ = str(found[PATH_PLACE]).partition("?")
            shown = self._mask(path, PATH_LENGTH_MAX) + ("?…" if question else "")
            record.args = (*found[:PATH_PLACE], shown, *found[PATH_PLACE + 1 :])
        return True


def guard(mask: Mask) -> None:
    """Have uvicorn's access log hold no query and no secret, and say that it is better off. Does it once."""
    logger = logging.getLogger(NAME)
    if not logger.handlers or any(isinstance(each, WithoutQueries) for each in logger.filters):
        return
    logger.addFilter(WithoutQueries(mask))
    log.warning("access_log_on", advice="start uvicorn with --no-access-log: Keyrack logs every call itself, and URLs may hold secrets")
