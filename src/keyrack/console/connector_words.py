"""Connectors and their calls in words: where each stands, and why."""

import json
from collections.abc import Mapping

from keyrack.console.delivery_words import Badge
from keyrack.model.connector_calls import ConnectorCall, Why
from keyrack.model.connectors import Connector
from keyrack.model.deliveries import State

CALL_STATES: Mapping[str, str] = {
    State.SUCCEEDED.value: "Sent",
    State.PENDING.value: "Waiting",
    State.HELD.value: "Held",
    State.FAILED.value: "Failed",
    State.SKIPPED.value: "Skipped",
}
"""What people filter by."""

_TONES = {State.SUCCEEDED: "good", State.PENDING: "neutral", State.HELD: "warn", State.FAILED: "bad", State.SKIPPED: "neutral"}
_CONNECTORS = {"active": Badge("Active", "good"), "disabled": Badge("Off", "neutral"), "reconnect": Badge("Connect again", "bad")}
_WHYS = {
    Why.TEST_MODE: "It happened in test mode: what test keys do calls nobody outside.",
    Why.CONNECTOR_DISABLED: "The connector was off.",
    Why.CONNECTOR_DELETED: "The connector was deleted.",
    Why.NOTHING_TO_SEND: "There was nothing to send, or nobody to send it to.",
    Why.REFUSED: "The vendor will not take it as it is.",
    Why.RECONNECT: "It waits until somebody connects the account again, for three days.",
    Why.EXHAUSTED: "Every attempt failed, until it was too late.",
}


def connector_badge(connector: Connector) -> Badge:
    """Return where a connector stands, in a word."""
    return _CONNECTORS.get(connector.state, Badge(connector.state.capitalize(), "neutral"))


def call_badge(call: ConnectorCall) -> Badge:
    """Return where a call stands, in a word."""
    if call.state is State.PENDING and call.attempts:
        return Badge("Retrying", "warn")
    return Badge(CALL_STATES[call.state.value], _TONES[call.state])


def why_in_words(why: Why | None) -> str:
    """Say why a call was skipped, held or given up. Empty where there is nothing to say."""
    return _WHYS[why] if why is not None else ""


def shown_request(call: ConnectorCall) -> str:
    """Return what a call sent, as people read JSON; empty where it was not made yet."""
    return "" if call.request is None else json.dumps(dict(call.request), indent=2, ensure_ascii=False)
