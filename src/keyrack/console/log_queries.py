"""What people ask the request log for on its page, and what an answer's status is called."""

import re
from collections.abc import Mapping

from keyrack.console.charts import RANGES, Range
from keyrack.model.principals import Mode
from keyrack.model.refusals import INVALID_REQUEST
from keyrack.model.request_logs import Filter, status_range

FILTERS = ("path", "method", "status", "key", "integration", "app", "mode", "range")
METHODS = (("", "All methods"), *((method, method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")))
STATUSES = (
    ("", "All responses"),
    ("2xx", "2xx Success"),
    ("4xx", "4xx Refused"),
    ("5xx", "5xx Failed"),
    ("400", "400 Bad request"),
    ("401", "401 Not recognized"),
    ("403", "403 No permission"),
    ("404", "404 Not found"),
    ("409", "409 Conflict"),
    ("429", "429 Too many calls"),
    ("500", "500 Error on our side"),
)
_METHOD = re.compile(r"[A-Za-z]{1,20}")
_TONES = {2: "good", 4: "warn", 5: "bad"}


def chosen_range(asked: Mapping[str, str]) -> Range:
    """Return the range that was asked for. Raises Refused 400 where there is none of this name."""
    if asked["range"] not in RANGES:
        raise INVALID_REQUEST("Choose one of the ranges of time.", param="range")
    return RANGES[asked["range"]]


def chosen_mode(asked: Mapping[str, str]) -> Mode | None:
    """Return the mode that was asked for, or None. Raises Refused 400 where there is none of this name."""
    if asked["mode"] not in ("", *Mode):
        raise INVALID_REQUEST("Choose live or test.", param="mode")
    return Mode(asked["mode"]) if asked["mode"] else None


def read(asked: Mapping[str, str], now: int) -> Filter:
    """Return the search that these filters mean. Raises Refused 400 for one that nobody can choose."""
    if asked["method"] and not _METHOD.fullmatch(asked["method"]):
        raise INVALID_REQUEST("A method has 1 to 20 letters.", param="method")
    try:
        status = status_range(asked["status"]) if asked["status"] else None
    except ValueError as error:
        raise INVALID_REQUEST(f"{str(error).capitalize()}.", param="status") from None
    return Filter(
        path=asked["path"] or None,
        method=asked["method"].upper() or None,
        status=status,
        credential_id=asked["key"] or None,
        integration_id=asked["integration"] or None,
        app_id=asked["app"] or None,
        mode=chosen_mode(asked),
        since=chosen_range(asked).bounds(now)[0],
        until=now + 1,
    )


def tone(status: int) -> str:
    """Return the tone of a badge that shows a status."""
    return _TONES.get(status // 100, "neutral")
