"""Webhooks: an event as it is sent to an endpoint, byte by byte (Standard Webhooks 1.0.0, "Payload")."""

import json
import re
from collections.abc import Mapping
from typing import Any

from keyrack.model.events import Event
from keyrack.model.times import iso
from keyrack.model.versions import Versions

BODY_BYTES_MAX = 64 * 1024
"""A larger event is sent thin: what happened to which object, which the receiver then fetches."""

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"

_NO_TOKEN = re.compile(r"[^A-Za-z0-9!#$%&'*+.^_`|~-]+")


def user_agent(brand_name: str) -> str:
    """Return how deliveries name the product that sends them: `Atrium-Webhooks/1`."""
    return f"{_NO_TOKEN.sub('-', brand_name).strip('-') or 'Keyrack'}-Webhooks/1"


def payload(event: Event, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event as it is sent, with data as its receiver's version has it."""
    actor = event.actor
    return {
        "type": event.type,
        "timestamp": iso(event.created_at),
        "object": "event",
        "id": event.id,
        "mode": event.mode.value,
        "workspace_id": event.workspace_id,
        "actor": {"kind": actor.kind.value, "id": actor.id, "name": actor.name},
        "request_id": event.request_id,
        "data": data,
    }


def body(event: Event, versions: Versions, api_version: str | None) -> bytes:
    """Return the bytes that are sent and signed: the event with its object as `api_version` has it; None: as the newest does.

    One of more than BODY_BYTES_MAX is thin: its data are `object` and `id` alone, and `truncated` is true.
    """
    reference = {"object": event.object_type, "id": event.object_id}
    data: Any = {**reference, **event.data}
    if api_version is not None:
        # Kinds of objects alone say what has changed: an event belongs to no operation.
        data = versions.passage(versions.of_pin(api_version), "").answer(data)
    whole = _written(payload(event, data))
    return whole if len(whole) <= BODY_BYTES_MAX else _written({**payload(event, reference), "truncated": True})


def _written(document: Any) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Half a character, which only an escape can be.
        return json.dumps(document, separators=(",", ":")).encode()
