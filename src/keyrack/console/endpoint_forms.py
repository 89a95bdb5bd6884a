"""What people write into the forms of endpoints, as what endpoints are made of."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from keyrack.model.endpoints import EVERYTHING, HEADERS_MAX, PARALLEL_MAX, Endpoint, Signature
from keyrack.model.events import EventType
from keyrack.model.permissions import OrgAccess, Rights
from keyrack.model.refusals import INVALID_REQUEST
from keyrack.model.versions import Versions

FIELDS = ("url", "description", "integration_id", "events", "mode", "headers", "signature", "parallel", "api_version")
"""The fields beside which a refusal may stand."""

FIELDS_MAX = 1000
OF_WORKSPACE = Rights(OrgAccess.ADMIN)
"""What an endpoint may be told of that belongs to no integration."""

HEADER_ROWS = 3
DESCRIPTION_LENGTH_MAX = 200
_CHOSEN = "yes"


class Choice(NamedTuple):
    """One type of event that people choose."""

    name: str
    description: str
    chosen: bool


class Kind(NamedTuple):
    """Types of events that speak of one noun. Without a `noun` they cannot be chosen as a whole."""

    title: str
    noun: str
    chosen: bool
    types: list[Choice]


def endpoint_fields(form: Mapping[str, str]) -> dict[str, Any]:
    """Return what makes an endpoint, without its mode and signature. Raises Refused 400."""
    description = form.get("description", "").strip()
    if len(description) > DESCRIPTION_LENGTH_MAX or not description.isprintable():
        raise INVALID_REQUEST(f"Write at most {DESCRIPTION_LENGTH_MAX} printable characters.", param="description")
    fields: dict[str, Any] = {
        "url": form.get("url", "").strip(),
        "description": description,
        "events": _events(form),
        "parallel": _parallel(form),
        "in_order": form.get("in_order") == _CHOSEN,
    }
    if form.get("api_version"):
        fields["api_version"] = form["api_version"]
    headers = _headers(form)
    return fields | ({"headers": headers} if headers or form.get("no_headers") == _CHOSEN else {})


def signature_in(form: Mapping[str, str]) -> Signature:
    """Return how deliveries are to be signed. Raises Refused 400."""
    try:
        return Signature(form.get("signature", Signature.HMAC))
    except ValueError:
        raise INVALID_REQUEST("Choose one of the two.", param="signature") from None


def as_written(endpoint: Endpoint) -> dict[str, str]:
    """Return an endpoint as its form shows it."""
    form = {
        "url": endpoint.url,
        "description": endpoint.description,
        "api_version": endpoint.api_version or "",
        "parallel": str(endpoint.parallel),
        "in_order": _CHOSEN if endpoint.in_order else "",
    }
    for wanted in endpoint.events:
        form[_field(wanted)] = _CHOSEN
    return form


def given(form: Mapping[str, str], event_types: Iterable[EventType], problems: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form shows, as it was filled in. What is seldom needed is open where something is wrong with it, or was chosen."""
    names = [form.get(f"header_name.{place}", "") for place in range(HEADERS_MAX)]
    rows = max([HEADER_ROWS, *(place + 2 for place, name in enumerate(names) if name)])
    seldom = ("headers", "signature", "parallel", "api_version")
    return {
        "url": form.get("url", ""),
        "description": form.get("description", ""),
        "integration_id": form.get("integration_id", ""),
        "all": form.get("all") == _CHOSEN,
        "kinds": kinds(form, event_types),
        "mode": form.get("mode", "live"),
        "api_version": form.get("api_version", ""),
        "headers": [(names[place], form.get(f"header_value.{place}", "")) for place in range(min(rows, HEADERS_MAX))],
        "no_headers": form.get("no_headers") == _CHOSEN,
        "signature": form.get("signature", Signature.HMAC.value),
        "parallel": form.get("parallel", "5"),
        "in_order": form.get("in_order") == _CHOSEN,
        "is_open": any(problems.get(name) for name in seldom) or any(names) or form.get("in_order") == _CHOSEN,
    }


def kinds(form: Mapping[str, str], event_types: Iterable[EventType]) -> list[Kind]:
    """Return what people choose from, by noun; and what was chosen though there is no such event any more, so that nobody loses it."""
    by_noun: dict[str, list[EventType]] = {}
    # What the host's data tell comes first: that is what most endpoints are for.
    for one in sorted(event_types, key=lambda one: (one.category is None, one.name)):
        by_noun.setdefault(one.name.partition(".")[0], []).append(one)
    found = [
        Kind(
            noun.replace("_", " ").capitalize(),
            noun,
            form.get(f"kind.{noun}") == _CHOSEN,
            [Choice(one.name, one.description, form.get(_field(one.name)) == _CHOSEN) for one in types],
        )
        for noun, types in by_noun.items()
    ]
    offered = {choice.name for kind in found for choice in kind.types} | {f"{noun}.*" for noun in by_noun} | {EVERYTHING}
    others = [Choice(name, "", chosen=True) for name in _chosen(form) if name not in offered]
    return [*found, Kind("No longer sent", "", False, others)] if others else found


def version_options(versions: Versions, now: int, held: str = "") -> Sequence[tuple[str, str]]:
    """Return the versions that an endpoint may be pinned to, newest first, and the one that it holds."""
    endings = {date: versions.endings[date].sunset_at for date in versions.dates}
    return [
        (date, f"{date} (the newest)" if date == versions.newest else date)
        for date in reversed(versions.dates)
        if date == held or (endings[date] or now + 1) > now
    ]


def _events(form: Mapping[str, str]) -> list[str]:
    if form.get("all") == _CHOSEN:
        return [EVERYTHING]
    wanted = _chosen(form)
    whole = {one.removesuffix("*") for one in wanted if one.endswith(".*")}
    found = [one for one in wanted if one.endswith(".*") or f"{one.partition('.')[0]}." not in whole]
    if not found:
        raise INVALID_REQUEST("Choose all events, or at least one.", param="events")
    return found


def _chosen(form: Mapping[str, str]) -> list[str]:
    names = [name for name, value in form.items() if value == _CHOSEN]
    whole = [f"{name.removeprefix('kind.')}.*" for name in names if name.startswith("kind.")]
    return whole + [name.removeprefix("event.") for name in names if name.startswith("event.")]


def _field(wanted: str) -> str:
    """The name of the box that stands for a filter."""
    if wanted == EVERYTHING:
        return "all"
    return f"kind.{wanted.removesuffix('.*')}" if wanted.endswith(".*") else f"event.{wanted}"


def _parallel(form: Mapping[str, str]) -> int:
    written = form.get("parallel", "").strip()
    if not (written.isascii() and written.isdigit() and len(written) < 4 and 1 <= int(written) <= PARALLEL_MAX):
        raise INVALID_REQUEST(f"Write a number from 1 to {PARALLEL_MAX}.", param="parallel")
    return int(written)


def _headers(form: Mapping[str, str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for place in range(HEADERS_MAX):
        name, value = (form.get(f"header_{part}.{place}", "").strip() for part in ("name", "value"))
        if bool(name) != bool(value):
            raise INVALID_REQUEST("A header has a name and a value: write both, or neither.", param="headers")
        if name.lower() in {one.lower() for one in headers}:
            raise INVALID_REQUEST(f"{name} stands here twice: upper and lower case are alike.", param="headers")
        if name:
            headers[name] = value
    return headers
