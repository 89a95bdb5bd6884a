"""What became of deliveries, in words: what each state, reason, error and answer means, and what to do."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from keyrack.model.deliveries import FAILING_SECONDS_MAX, Delivery, State, Why
from keyrack.model.endpoints import DisableReason, Endpoint
from keyrack.model.outgoing_calls import NotSentCode
from keyrack.model.principals import Mode
from keyrack.work.attempts import UNWRITABLE

FAILING_DAYS_MAX = FAILING_SECONDS_MAX // 86_400
STATES = {
    State.SUCCEEDED: "Succeeded",
    State.PENDING: "Waiting",
    State.HELD: "Held",
    State.FAILED: "Failed",
    State.SKIPPED: "Skipped",
}
"""What people filter by. Of those that wait, one that was tried is shown as being retried."""

_TONES = {State.SUCCEEDED: "good", State.PENDING: "neutral", State.HELD: "info", State.FAILED: "bad", State.SKIPPED: "neutral"}
_WHYS = {
    Why.NOT_PERMITTED: "The integration that this endpoint belongs to may not read what the event tells of.",
    Why.ENDPOINT_DISABLED: "The endpoint was disabled.",
    Why.ENDPOINT_DELETED: "The endpoint was deleted.",
    Why.GONE: "The receiver answered 410 Gone, which says that it wants no more.",
    Why.EXHAUSTED: "Every attempt failed, over about three days.",
}
_ERRORS: Mapping[str, str] = {
    NotSentCode.ADDRESS_REFUSED: "The URL leads to an address that is not public, so nothing was sent.",
    NotSentCode.UNRESOLVED: "The host's name leads to no address: look whether it is spelled right, and whether its DNS works.",
    NotSentCode.CONNECT_FAILED: "Nobody accepted the connection: the server is down, or a firewall is in the way.",
    NotSentCode.TLS_FAILED: "No secure connection came about: look at the receiver's certificate.",
    NotSentCode.TIMEOUT: "The receiver did not answer in time: answer first, and do the work afterwards.",
    NotSentCode.BROKEN_OFF: "The receiver broke off the connection before its answer was complete.",
    NotSentCode.MALFORMED_ANSWER: "What came back is no HTTP answer: something else may listen at this address.",
    UNWRITABLE: "The event could not be written in the API version that this endpoint is pinned to: this is for the operator to mend.",
}
_ANSWERS = {
    401: "The receiver wants credentials: it may need a header that this endpoint does not send.",
    403: "The receiver refused it: it may need a header that this endpoint does not send, or let in only some addresses.",
    404: "There is nothing at this path of the receiver: look at the URL.",
    405: "The receiver does not take POST at this path: look at the URL.",
    408: "The receiver gave up waiting for the request.",
    410: "The receiver says that it wants no more.",
    413: "The event is too large for the receiver.",
    429: "The receiver has too much to do, and is left alone for a while.",
    500: "The receiver's program failed: its own log says why.",
    502: "Something in front of the receiver's program could not reach it.",
    503: "The receiver is not available at the moment.",
    504: "Something in front of the receiver's program waited for it in vain.",
}
_KINDS = {
    1: "An answer below 200 is none.",
    3: "Redirects are not followed: write the address that this one leads to into the endpoint.",
    4: "The receiver refused it: what it answered may say why.",
    5: "The receiver's program failed: its own log may say why.",
}


class Badge(NamedTuple):
    """A word and its tone."""

    text: str
    tone: str


def delivery_badge(delivery: Delivery) -> Badge:
    """Return where a delivery stands, in a word."""
    if delivery.state is State.PENDING and delivery.attempts:
        return Badge("Retrying", "warn")
    return Badge(STATES[delivery.state], _TONES[delivery.state])


def why_in_words(why: Why | None, mode: Mode) -> str:
    """Say why a delivery was skipped or given up; `mode` is its event's. Empty where there is nothing to say."""
    if why is Why.TEST_MODE:
        other = Mode.TEST if mode is Mode.LIVE else Mode.LIVE
        return f"It happened in {mode.value} mode, and this endpoint gets {other.value} events."
    return _WHYS.get(why, "") if why is not None else ""


def error_in_words(error: str) -> str:
    """Say what an error means by its code, one sentence for each."""
    return _ERRORS.get(error, "The call could not be made.")


def status_words(status: int) -> str:
    """Return a status with its name: `503 Service Unavailable`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def outcome(status: int | None, error: str | None, *, brief: bool = False) -> Badge:
    """Return what came of an attempt, in a word or two: the status (its number alone, where that is `brief`), or that none came."""
    if status is None:
        return Badge((error or "no answer").replace("_", " ").capitalize(), "bad")
    return Badge(str(status) if brief else status_words(status), "good" if 200 <= status < 300 else "bad")


def outcome_in_words(status: int | None, error: str | None, detail: str | None = None) -> str:
    """Say what an answer means that is no success, or why there was none. Empty for a success."""
    if status is None:
        said = error_in_words(error or "")
        return f"{said} ({detail})" if detail else said
    if 200 <= status < 300:
        return ""
    return _ANSWERS.get(status, _KINDS.get(status // 100, "The receiver did not take it."))


def disabled_in_words(endpoint: Endpoint) -> str:
    """Say why an endpoint is disabled."""
    return {
        DisableReason.GONE: "The receiver answered 410 Gone, which says that it wants no more.",
        DisableReason.FAILING: f"Every delivery failed for {FAILING_DAYS_MAX} days.",
    }.get(endpoint.disable_reason or DisableReason.CHOSEN, "Somebody disabled it.")
