"""What may stand in an endpoint: its mode, address, events, version and headers, checked, and sealed where it is secret."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from keyrack.crypto import webhooks
from keyrack.crypto.format import Secret
from keyrack.manage.desk import Desk
from keyrack.model.addresses import refused_url
from keyrack.model.endpoints import EVENTS_MAX, EVERYTHING, HEADERS_MAX, Signature, SigningKey, passes
from keyrack.model.events import EventType, needed_for, tells
from keyrack.model.outgoing_calls import refused_header
from keyrack.model.permissions import Rights
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, INVALID_REQUEST, Refused
from keyrack.model.suggestions import closest

SEALED_FOR = "endpoint"
"""The purpose under which signing keys and custom headers are sealed, each for its endpoint's id."""

TEST_ONLY = "A test key makes and changes test endpoints only."


def check_mode(desk: Desk, actor: Principal, mode: Mode) -> None:
    """Raise Refused 400 for a mode that the brand has not, 403 where a test key would make a live endpoint."""
    if mode not in desk.brand.modes:
        raise INVALID_REQUEST(f"{desk.brand.name} has no {mode.value} mode.", param="mode")
    if actor.mode is Mode.TEST and mode is Mode.LIVE:
        raise INSUFFICIENT_PERMISSION(TEST_ONLY)


def check_url(desk: Desk, url: str) -> None:
    """Raise Refused 400 for an address to which nothing may be sent."""
    why = refused_url(url, desk.outside.networks)
    if why is not None:
        raise INVALID_REQUEST(why, param="url")


def checked_events(desk: Desk, rights: Rights, events: Sequence[str], *, of_app: bool) -> tuple[str, ...]:
    """Return the filters, each once.

    Raises Refused: 400 for a type that there is not, and for an app's endpoint for one that tells of no app; 403 for one that the endpoint
    may not be told of.
    """
    wanted = tuple(dict.fromkeys(events))
    if not 1 <= len(wanted) <= EVENTS_MAX:
        raise INVALID_REQUEST(f"Name 1 to {EVENTS_MAX} event types, or * for all.", param="events")
    for one in wanted:
        if of_app and not one.startswith("app."):
            raise INVALID_REQUEST("An app's endpoint hears of that app alone: app.uninstalled, or app.*.", param="events")
        kinds = [kind for kind in desk.event_types.values() if passes(one, kind.name)]
        if not kinds:
            raise _unknown(desk, one)
        if not any(tells(kind, desk.categories, rights) for kind in kinds):
            raise _not_told(desk, one, kinds[0])
    return wanted


def _not_told(desk: Desk, one: str, kind: EventType) -> Refused:
    needed = needed_for(kind, desk.categories) if one != EVERYTHING else "to be able to read anything"
    hint = ": make it one of an integration that has that" if kind.category and desk.categories[kind.category].in_spaces else ""
    return INSUFFICIENT_PERMISSION(f"To be told of {one[:100]}, an endpoint needs {needed}{hint}.", param="events")


def _unknown(desk: Desk, one: str) -> Refused:
    nouns = {f"{name.split('.')[0]}.*" for name in desk.event_types}
    meant = closest(one, {*desk.event_types, *nouns})
    hint = f"; did you mean `{meant}`?" if meant else "; GET /api/v1/event-types lists them."
    return INVALID_REQUEST(f"There is no event type {one[:100]!r}{hint}", param="events")


def version(desk: Desk, actor: Principal, given: str | None, now: int) -> str:
    """Return the version that an endpoint is pinned to: the one given, or the actor's. Raises Refused 400."""
    if given is not None:
        return desk.versions.pinnable(given, now)
    return desk.versions.newest if actor.api_version is None else desk.versions.of_pin(actor.api_version)


def mint(desk: Desk, endpoint_id: str, signature: Signature) -> tuple[SigningKey, Secret | None]:
    """Return a new signing key, sealed for its endpoint, with the secret that its receiver needs; with ed25519 there is none."""
    minted = webhooks.mint(signature)
    key = SigningKey(desk.sealers[SEALED_FOR].seal(minted.secret.text.encode(), endpoint_id), public=minted.public)
    return key, minted.secret if signature is Signature.HMAC else None


def sealed_headers(desk: Desk, endpoint_id: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that hold custom headers: their names, and all of them sealed as JSON."""
    if len(headers) > HEADERS_MAX:
        raise INVALID_REQUEST(f"An endpoint has at most {HEADERS_MAX} headers.", param="headers")
    if len({name.lower() for name in headers}) < len(headers):
        raise INVALID_REQUEST("A header stands here twice: upper and lower case are alike.", param="headers")
    for name, value in headers.items():
        why = refused_header(name, value)
        if why is not None:
            raise INVALID_REQUEST(why, param="headers")
    if not headers:
        return {"header_names": (), "sealed_headers": None}
    sealed = desk.sealers[SEALED_FOR].seal(json.dumps(dict(headers)).encode(), endpoint_id)
    return {"header_names": tuple(headers), "sealed_headers": sealed}
