"""Connectors over HTTP: accounts at vendors, and the calls that events became there."""

from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import MISSING, Field, StrictBool, StringConstraints

from keyrack.api.connector_examples import CONNECTOR, CONNECTOR_CALL, CONNECTOR_CHECK, NEW_CONNECTOR
from keyrack.api.dependencies import ADMIN, PLAIN, Actor, Desk, TheAssembly
from keyrack.api.fields import Body, Id, Name, ObjectView, PathId, Time
from keyrack.api.lists import ListQuery, NamedQuery, Page, TheLists
from keyrack.manage import connector_calls, connectors
from keyrack.model.connector_calls import ConnectorCall, Verdict, Why
from keyrack.model.connectors import Connector, DisableReason
from keyrack.model.deliveries import State, Trigger
from keyrack.model.principals import Mode
from keyrack.model.refusals import CONFLICT, saying

router = APIRouter(prefix="/connectors")
EVENTS_MAX = 100
SETTINGS_MAX = 10
_VENDOR, _EVENTS = "The vendor.", "The event types that become something at the vendor."
_SETTINGS = "How it is set, by the names that the vendor's page in the docs lists; secrets go in here, and never come out."
_ENABLED = "Whether events become calls there."
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Vendor = Annotated[Word, Field(description=_VENDOR)]
EventName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Events = Annotated[list[EventName], Field(min_length=1, max_length=EVENTS_MAX, description=_EVENTS)]
Value = Annotated[str, StringConstraints(max_length=500)]
VendorSettings = Annotated[dict[Word, Value], Field(max_length=SETTINGS_MAX, description=_SETTINGS)]


class NewConnector(Body):
    """An account to connect. Without events, all that become something at this vendor do."""

    EXAMPLE: ClassVar = NEW_CONNECTOR

    vendor: Vendor
    settings: VendorSettings
    name: Name | MISSING = MISSING
    events: Events | MISSING = MISSING


class ConnectorChanges(Body):
    """The fields of a connector that change. Of `settings` those that are named; an empty text takes one away."""

    EXAMPLE: ClassVar = {"events": ["customer.created"]}

    name: Name | MISSING = MISSING
    events: Events | MISSING = MISSING
    settings: VendorSettings | MISSING = MISSING
    enabled: Annotated[StrictBool, Field(description=_ENABLED)] | MISSING = MISSING


class ConnectorQuery(NamedQuery):
    """The filters of the list of connectors."""

    vendor: Annotated[Word | None, Field(description="Only those of this vendor.")] = None


class ConnectorCallQuery(ListQuery):
    """The filters of the log of a connector."""

    event_id: Annotated[Id | None, Field(description="Only what this event became.")] = None
    state: Annotated[State | None, Field(description="Only those in this state.")] = None


class ConnectorView(ObjectView):
    """A connector. Of its secrets, `tails` has the last letters."""

    EXAMPLE: ClassVar = CONNECTOR

    object: Literal["connector"] = "connector"
    vendor: str = Field(description=_VENDOR)
    name: str
    events: list[str] = Field(description=_EVENTS)
    settings: dict[str, str] = Field(description="How it is set, without its secrets.")
    tails: dict[str, str] = Field(description="The last letters of its secrets.")
    state: Literal["active", "disabled", "reconnect"] = Field(description="What it is at this moment; `reconnect`: enter new credentials.")
    enabled: bool = Field(description=_ENABLED)
    disable_reason: DisableReason | None = Field(description="Why it is disabled: by choice, or until somebody connects it again.")
    problem: str | None = Field(description="What the vendor has against it, in words.")
    made_by: str
    made_by_name: str
    created_at: Time
    updated_at: Time


class ConnectorCheckView(ObjectView):
    """What a vendor answered to a question that changes nothing; `id` is the connector's."""

    EXAMPLE: ClassVar = CONNECTOR_CHECK

    object: Literal["connector_check"] = "connector_check"
    ok: bool = Field(description="Whether the vendor takes the credentials.")
    detail: str = Field(description="The vendor's answer, in words.")


class ConnectorCallView(ObjectView):
    """What an event became at a connector, and what the vendor said to it."""

    EXAMPLE: ClassVar = CONNECTOR_CALL

    object: Literal["connector_call"] = "connector_call"
    connector_id: str = Field(description="The connector.")
    event_id: str = Field(description="The event.")
    event_type: str = Field(description="What happened.")
    object_id: str = Field(description="The object that it happened to: its calls go one after another.")
    mode: Mode
    state: State = Field(description="What came of it so far.")
    why: Why | None = Field(description="Why it was skipped, held or given up; null: it was not.")
    trigger: Trigger = Field(description="What asked for it last: the schedule, or somebody.")
    attempts: int = Field(description="How often it was sent.")
    due_at: Time | None = Field(description="When it is sent next; null: not any more.")
    request: dict[str, Any] | None = Field(description="What was sent; null: nothing yet.")
    status: int | None = Field(description="The HTTP status of the vendor's last answer; null: there was none.")
    code: str | None = Field(description="The vendor's own code; null: it gave none.")
    detail: str | None = Field(description="What came of the last attempt, in words.")
    vendor_object_id: str | None = Field(description="What the vendor calls the thing that it made or changed.")
    duration_ms: int | None = Field(description="How long the last attempt took, in milliseconds.")
    created_at: Time
    updated_at: Time


@router.get("", dependencies=[ADMIN])
async def list_connectors(query: Annotated[ConnectorQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[ConnectorView]:
    """List connectors, newest first unless `sort` says otherwise."""
    after = await lists.after(query, partial(connectors.get, desk, actor))
    asked = query.filters() | {"order": query.order, "updated_after": query.updated_after}
    return lists.page(query, await connectors.page(desk, actor, limit=query.limit + 1, after=after, **asked), _view)


@router.post("", status_code=201, dependencies=[ADMIN, PLAIN], openapi_extra=saying(CONFLICT))
async def create_connector(body: NewConnector, actor: Actor, desk: Desk) -> ConnectorView:
    """Connect an account at a vendor. Its secrets are never answered again."""
    return _view(await connectors.create(desk, actor, **body.values()))


@router.get("/{connector_id}", dependencies=[ADMIN, PLAIN])
async def get_connector(connector_id: PathId, actor: Actor, desk: Desk) -> ConnectorView:
    """Get a connector."""
    return _view(await connectors.get(desk, actor, connector_id))


@router.patch("/{connector_id}", dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def update_connector(connector_id: PathId, body: ConnectorChanges, actor: Actor, desk: Desk) -> ConnectorView:
    """Change a connector's name, events or settings, or switch it off and on."""
    return _view(await connectors.edit(desk, actor, connector_id, **body.values()))


@router.delete("/{connector_id}", status_code=204, dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def delete_connector(connector_id: PathId, actor: Actor, desk: Desk) -> None:
    """Delete a connector, and destroy its credentials here. What it made at the vendor stays there."""
    await connectors.delete(desk, actor, connector_id)


@router.post("/{connector_id}/check", dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def check_connector(connector_id: PathId, actor: Actor, assembly: TheAssembly) -> ConnectorCheckView:
    """Ask the vendor whether it takes the credentials. Nothing changes there."""
    answer = await assembly.connector_calls.check(actor, connector_id)
    return ConnectorCheckView(id=connector_id, ok=answer.verdict is Verdict.SENT, detail=answer.detail)


@router.get("/{connector_id}/calls", dependencies=[ADMIN])
async def list_connector_calls(
    connector_id: PathId, query: Annotated[ConnectorCallQuery, Query()], actor: Actor, desk: Desk, lists: TheLists
) -> Page[ConnectorCallView]:
    """List what events became at a connector, newest first."""
    after = await lists.after(query, partial(connector_calls.get, desk, actor, connector_id))
    found = await connector_calls.page(desk, actor, connector_id, limit=query.limit + 1, after=after, **query.filters())
    return lists.page(query, found, _view_call)


@router.get("/{connector_id}/calls/{call_id}", dependencies=[ADMIN, PLAIN])
async def get_connector_call(connector_id: PathId, call_id: PathId, actor: Actor, desk: Desk) -> ConnectorCallView:
    """Get a call."""
    return _view_call(await connector_calls.get(desk, actor, connector_id, call_id))


@router.post("/{connector_id}/calls/{call_id}/retry", dependencies=[ADMIN, PLAIN], openapi_extra=saying(CONFLICT))
async def retry_connector_call(connector_id: PathId, call_id: PathId, actor: Actor, desk: Desk) -> ConnectorCallView:
    """Have a call sent again that was given up, or skipped while its connector was off."""
    return _view_call(await connector_calls.retry(desk, actor, connector_id, call_id))


def _view(connector: Connector) -> ConnectorView:
    same = ("id", "vendor", "name", "state", "disable_reason", "problem", "made_by", "made_by_name", "created_at", "updated_at")
    return ConnectorView(
        **{name: getattr(connector, name) for name in same},
        events=list(connector.events),
        settings=dict(connector.settings),
        tails=dict(connector.tails),
        enabled=connector.disabled_at is None,
    )


def _view_call(call: ConnectorCall) -> ConnectorCallView:
    names = ConnectorCallView.model_fields.keys() - {"object", "request"}
    request = None if call.request is None else dict(call.request)
    return ConnectorCallView(**{name: getattr(call, name) for name in names}, request=request)
