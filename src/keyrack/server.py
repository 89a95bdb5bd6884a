"""Keyrack as a host holds it: declared once, installed into an app, and asked from handlers."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeVar, cast

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from keyrack import api, console, docs, oauth
from keyrack.api.dependencies import refuse_repeated
from keyrack.api.health import build_health
from keyrack.api.lists import Lists
from keyrack.assemble import Assembly, now_ms
from keyrack.console.assets import Assets
from keyrack.crypto.sign import Signer
from keyrack.docs import Described, Docs, Document, Part, changelog
from keyrack.embed import access_logs
from keyrack.embed.costs import check_costs
from keyrack.embed.errors import install_handlers
from keyrack.embed.routes import declared_paths, page_rows, table_rows
from keyrack.gate import transactions
from keyrack.gate.callers import CurrentCaller
from keyrack.gate.gate import Gate
from keyrack.gate.pages import MemberPages
from keyrack.gate.requires import Public, Requires, SignedIn
from keyrack.gate.table import Table, operation_names
from keyrack.gate.walk import Walk
from keyrack.manage import event_types, mail, sessions, usage
from keyrack.manage.activity import Activity
from keyrack.manage.cursors import Cursors
from keyrack.manage.members import Members
from keyrack.manage.people import People
from keyrack.manage.spaces import Spaces
from keyrack.manage.visits import Opened, open_visit
from keyrack.manage.workspaces import Workspaces
from keyrack.model.brands import Brand
from keyrack.model.calls import CURRENT, Call
from keyrack.model.catalog import Catalog
from keyrack.model.connectors import Vendor, check_vendors
from keyrack.model.embed_keys import Embeddable
from keyrack.model.events import Actor, Event, EventType
from keyrack.model.mail import Letter
from keyrack.model.meters import Meter, check_plans
from keyrack.model.outgoing_calls import Answered, Outgoing
from keyrack.model.permissions import OWN_NEEDS, Category
from keyrack.model.plans import Plan
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import Refusal, registry
from keyrack.model.request_logs import Mask
from keyrack.model.versions import FIRST_VERSION, DeprecatedOperation, VersionChange, Versions
from keyrack.settings import Settings
from keyrack.store.database import create_engine
from keyrack.store.events import event_row
from keyrack.store.existing import HostSession
from keyrack.store.ids import new_id

OWN_BASE, SHORT_BASE = "/api/v1", "/api"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Keyrack:
    """The rack of one host product.

    `categories` are the kinds of the host's data that permissions speak of, `events` the types that it records, `plans` what workspaces
    can have; the first plan is the default. `refusals` are the host's own, `versions` what has changed in its API since `first_version`,
    `docs` its own pages of the docs, `meters` what it counts, with a quota in each plan, `connectors` what events become at vendors,
    `embeds` what pages of others embed. `now` is the clock, in ms since the epoch: tests give a frozen one. Raises ValueError where they
    contradict themselves.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        brand: Brand,
        categories: Sequence[Category] = (),
        plans: Sequence[Plan] = (Plan("standard", "Standard"),),
        events: Sequence[EventType] = (),
        refusals: Sequence[Refusal] = (),
        versions: Sequence[VersionChange | DeprecatedOperation] = (),
        first_version: str = FIRST_VERSION,
        meters: Sequence[Meter] = (),
        connectors: Sequence[Vendor] = (),
        embeds: Sequence[Embeddable] = (),
        docs: Docs | None = None,
        now: Callable[[], int] = now_ms,
    ) -> None:
        self.settings = settings or Settings()
        self.brand = brand
        self.categories = _by_name("category", categories, reserved=OWN_NEEDS)
        self.plans = _by_name("plan", plans)
        self.event_types = _by_name("event type", events, reserved=event_types.own())
        _check_categories(events, self.categories)
        self._docs = docs
        self.refusals = registry(refusals)
        self.versions = Versions(versions, first_version)
        self.meters = _by_name("meter", meters)
        check_plans(self.plans.values(), self.meters)
        check_vendors(connectors, self.event_types, self.categories)
        self.assembly = Assembly(
            self.settings,
            brand,
            self.categories,
            self.plans,
            now,
            self.meters,
            refusals=self.refusals,
            versions=self.versions,
            host_events=self.event_types,
            vendors={vendor.name: vendor for vendor in connectors},
            embeds=_by_name("embeddable", embeds),
        )
        self.public = Depends(Public())
        described = Described(brand.name, self.categories, self.refusals, self.versions, self.assembly.desk.event_types)
        self._document = Document(described, self.assembly.problems)
        self._parts: Callable[[], list[Part]] | None = None

    @property
    def members(self) -> Members:
        """The people of a workspace, and their rights: the only way to change them."""
        return Members(self.assembly.desk)

    @property
    def people(self) -> People:
        """People beyond the workspace in which they signed in: who they are in another, which they join and leave by their own wish."""
        return People(self.assembly.desk)

    @property
    def spaces(self) -> Spaces:
        """The spaces of a workspace, and who is in them: the only way to change them."""
        return Spaces(self.assembly.desk)

    @property
    def workspaces(self) -> Workspaces:
        """The workspaces: made, renamed, given a plan and deleted here and by the command line."""
        return Workspaces(self.assembly.desk)

    @property
    def activity(self) -> Activity:
        """What was changed and read in the workspaces, for a feed."""
        return Activity(self.assembly.desk)

    @property
    def cursors(self) -> Cursors:
        """Reads and writes the signed cursors of lists."""
        return Cursors(self.assembly.desk.cursors)

    @property
    def changelog(self) -> Sequence[changelog.Entry]:
        """What has changed in the API, newest first, as the docs tell it: `id`, `date`, `title`, and the text in Markdown."""
        return changelog.entries(self.versions)

    def signer(self, purpose: str) -> Signer:
        """Return what signs small values for a purpose of the host's, like a link in a mail: what one signed, no other reads."""
        return self.assembly.signer_for(f"host.{purpose}")

    def masked(self, text: str) -> str:
        """Return what somebody wrote without the secrets in it: people show what they sent, with their key in it."""
        mask = Mask(self.assembly.prefixes)
        return "\n".join(mask(line, len(line)) for line in text.expandtabs(4).split("\n"))

    def lists(self, request: Request, response: Response) -> Lists:
        """Return what finds the page of a host's list that a call asks for, and leads on to the next one, by the rule of our own lists.

        `ListQuery`, `SortedQuery` or `NamedQuery` takes its parameters, `keyset` bounds the statement. The cursors are the caller's
        workspace's. Raises Refused 400 for a parameter that stands twice.
        """
        refuse_repeated(request)
        caller = request.scope.get("keyrack")
        workspace_id = None if caller is None else caller.workspace_id
        return Lists(request, response, self.cursors, self.assembly.problems.base_url(request.scope), workspace_id)

    def host_engine(self) -> AsyncEngine:
        """Return an engine for the host's own tables in the same database, so that `record` and `transaction` can join its sessions."""
        return create_engine(self.settings.store_url)

    @staticmethod
    def requires(permission: str, *, space: str | None = None, cost: int = 1) -> Any:
        """Return the FastAPI dependency that declares what a route needs. It is no single rack's: a router may be written before one.

        `permission` is `category:read` or `category:write`, or `any`, `full_write`, `org_admin`. For a category in spaces, `space` says
        where the space is named: `"path:space_id"`, or `"object"` where the handler asks `caller.require` itself. A call takes `cost`
        from each limit of its plan; 0 is free.
        """
        return Depends(Requires(permission, space, cost))

    @staticmethod
    def embedded(*, visitor: bool = False, cost: int = 1) -> Any:
        """Return the FastAPI dependency of a route for embed keys, or for the visits that they open: no other credential reaches it, and
        they reach nothing else. `caller.embedded("chatbot")` is the object, `caller.visitor` who looks at the page.
        """
        return Depends(Requires("visitor" if visitor else "embed_key", cost=cost))

    @staticmethod
    def signed_in(permission: str = "any", *, space: str | None = None) -> Any:
        """Return the FastAPI dependency of a host's own page, outside the guard, for members who signed in to the console.

        Who is not signed in is led to the sign-in and back; forms of other sites are refused; `rack.transaction`, `rack.record` and
        `Caller` work as in a guarded call. `permission` and `space` are those of `requires`. The call is neither limited nor logged.
        """
        return Depends(SignedIn(permission, space))

    def needs(self, permission: str, *, space: str | None = None, cost: int = 1) -> Callable[[Endpoint], Endpoint]:
        """Declare the same on an endpoint of a plain Starlette route, as a decorator."""
        return _mark(Requires(permission, space, cost))

    def needs_nothing(self, endpoint: Endpoint) -> Endpoint:
        """Declare an endpoint of a plain Starlette route public."""
        return _mark(Public())(endpoint)

    def install(self, app: Starlette, guard: Sequence[str] = ("/api",), mounts: Mapping[str, Any] | None = None) -> None:
        """Put the gate around an app, outermost. Inside the `guard` paths nothing is public unless it says so.

        The app's `state.keyrack` is this rack from now on: the command line finds it there.
        `mounts` declares what a mounted app without readable routes needs: `{"/api/files": "files:read"}`, or as `requires` says it.
        """
        declared = {path: Requires(said) if isinstance(said, str) else said.dependency for path, said in (mounts or {}).items()}
        install_handlers(app, self.refusals)
        app.state.keyrack = self
        inner_stack = app.build_middleware_stack

        def parts(target: ASGIApp) -> list[Part]:
            own = api.build(self.assembly)
            install_handlers(own, self.refusals)
            rows = table_rows(app, target, self.categories, guard, declared)
            tags = getattr(app, "openapi_tags", None) or ()
            own_rows = table_rows(own, own, self.categories, [OWN_BASE], {})
            return [Part(self.brand.name, rows, tags, is_hosts=True), Part("Management", own_rows, own.openapi_tags or ())]

        def build() -> ASGIApp:
            gate = self._gate(app, inner_stack(), parts, guard)
            traces = self.assembly.traces
            return gate if traces is None else cast(ASGIApp, traces.around(gate, [*guard, OWN_BASE]))

        # Starlette asks for its stack once, at its first scope: this way the gate also lies outside the host's error middleware.
        app.build_middleware_stack = build  # type: ignore[method-assign]
        self._parts = lambda: parts(app)

    def openapi(self, base_url: str) -> dict[str, Any]:
        """Return the OpenAPI 3.1 document of the app that this rack is installed in, with our own operations, for a host at an address.

        The running host serves the same at `/docs/openapi.json`. Raises RuntimeError before `install`.
        """
        if self._parts is None:
            raise RuntimeError("there is no app yet: call rack.install(app) before")
        return self._document.describe(self._parts(), base_url)

    def transaction(self, session: HostSession) -> None:
        """Join a session to the call: the gate commits it before the answer leaves, and rolls it back under a status of 400 or more.

        Call it before the session's first statement. Raises RuntimeError outside a guarded call.
        """
        transactions.join(_call(), session)

    def record(self, session: HostSession, event: EventType, subject: Any, *, actor: Principal | None = None) -> None:
        """Record an event of the host's in its session: it commits or vanishes with the change that it tells of.

        The payload is `event.schema` read from the subject's attributes when the session is flushed. The actor is the caller, under its
        present name; a job of the host's own names one: `await rack.workspaces.operator(workspace_id)`. Raises ValueError for a type that
        was not declared, RuntimeError where there is neither.
        """
        if self.event_types.get(event.name) is not event:
            raise ValueError(f"{event.name!r} was not declared: add it to Keyrack(events=[…])")
        call = _call() if actor is None else CURRENT.get()
        principal = actor or (None if call is None else call.principal)
        if principal is None:
            raise RuntimeError("rack.record needs a caller: a public operation has none")
        row = Event(
            id=new_id(),
            workspace_id=principal.workspace.id,
            type=event.name,
            object_type=event.name.split(".")[0],
            object_id="",
            actor=Actor.of(principal),
            mode=principal.mode,
            created_at=self.assembly.now(),
            request_id=None if call is None else call.request_id,
        )
        # The object's id and values are read at flush: until then the database may still give them.
        session.add(event_row(session.get_bind().dialect.name, row, lambda: (str(subject.id), _payload(event, subject))))

    def mail(self, session: HostSession, letter: Letter) -> None:
        """Write to somebody, in the brand's name, in the host's session: the letter goes out when that has committed, and only then.

        It is sealed until it is sent, and tried again until it is taken. Does nothing where no mail is set up (`settings.sends_mail`).
        Raises Refused 400 for an address that is none.
        """
        row = mail.mail_row(self.assembly.desk, session.get_bind().dialect.name, letter)
        if row is not None:
            session.add(row)

    def open_visit(self, caller: CurrentCaller, resume: str | None = None) -> Opened:
        """Open a visit for whoever looks at a page: its `token` proves them to routes that declare `rack.embedded(visitor=True)`, for an
        hour. With the token of an earlier visit in `resume` it is the same visitor's. Raises Refused 403 for any caller but an embed key.
        """
        return open_visit(self.assembly.desk, caller.principal, caller.call.digest or b"", resume)

    async def count(
        self, meter: Meter, units: int = 1, *, session: HostSession | None = None, workspace_id: str | None = None, mode: str = "live"
    ) -> None:
        """Take units of a meter from the plan of the caller's workspace, in the caller's mode; outside a call both are named.

        All of them or none, exactly, whoever else takes at the same time. What was taken stays taken, also where the call fails later:
        count last. But of what exists nothing is taken: count before you add it, in the `session` that adds it. Raises Refused
        `quota_exceeded` where fewer are left; ValueError for a meter that was not declared, fewer than 0 units, or a session that is
        missing; RuntimeError where no workspace is named and there is no caller.
        """
        if self.meters.get(meter.name) != meter:
            raise ValueError(f"{meter.name!r} was not declared: add it to Keyrack(meters=[…])")
        principal = _call().principal if workspace_id is None else await self.workspaces.operator(workspace_id)
        if principal is None:
            raise RuntimeError("rack.count needs a caller: in a public operation name the workspace")
        taken_in = principal.mode if workspace_id is None else Mode(mode)
        await usage.count(self.assembly.desk, principal.workspace, taken_in, meter, units, session)

    async def fetch(self, url: str, *, timeout_seconds: float = 10.0, answer_bytes_max: int = 1024 * 1024) -> Answered:
        """Get what stands at an address that a customer gave, where it is public, or in one of the settings' `outgoing_networks`.

        It is resolved once, and checked before anything is sent; redirects are not followed; of the body `answer_bytes_max` are read. Any
        status is an answer. Raises NotSent, whose `detail` may be shown, where there is none within `timeout_seconds`.
        """
        outgoing = Outgoing("GET", url, (("User-Agent", "Keyrack"), ("Accept", "*/*")))
        return await self.assembly.outgoing.send(outgoing, timeout_seconds=timeout_seconds, answer_bytes_max=answer_bytes_max)

    def _gate(self, app: Starlette, host: ASGIApp, parts: Callable[[ASGIApp], list[Part]], guard: Sequence[str]) -> Gate:
        assembly = self.assembly
        members = MemberPages(lambda secret: sessions.find(assembly.desk, secret), assembly.cache, self.brand)
        site = docs.Site(assembly, Assets(self.brand), docs.generated(self._document), self._docs)

        async def start() -> Walk:
            described = parts(host)
            self._document.use(described)
            site.use([row.operation for row in described[0].rows])
            rows = [row for part in described for row in part.rows]
            check_costs(rows, list(self.plans.values()))
            table = Table([*guard, OWN_BASE], rows, SHORT_BASE, OWN_BASE)
            assembly.versions.meet(*(operation_names(part.rows) for part in described))
            assembly.catalog = Catalog(table.operations)
            members.use(page_rows(app, host, self.categories, [*guard, OWN_BASE]))
            access_logs.guard(Mask(assembly.prefixes))
            await assembly.start()
            return assembly.walk(table)

        own_paths = declared_paths(app)
        # A host's own llms.txt is its own business. FastAPI's page at /docs knows less than ours.
        explained = {path: page for path, page in docs.build(site, self._document).items() if path not in own_paths or path == "/docs"}
        pages = {**console.build(assembly), **explained, **self._document.instead(app), **build_health(assembly)}
        pages |= oauth.build(assembly, host)
        if assembly.measuring is not None:
            # Loaded by its name: nobody else should pay for it.
            pages |= import_module("keyrack.api.metrics").build_metrics(assembly)
        return Gate(host, pages, start, assembly.stop, assembly.request_ids.new, members)


def _by_name(what: str, things: Sequence[Any], reserved: Mapping[str, object] | None = None) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for thing in things:
        if thing.name in named or thing.name in (reserved or {}):
            raise ValueError(f"The {what} {thing.name!r} stands twice, or is a word of Keyrack's own: choose another name.")
        named[thing.name] = thing
    return named


def _check_categories(events: Sequence[EventType], categories: Mapping[str, Category]) -> None:
    for kind in events:
        if kind.category is not None and kind.category not in categories:
            raise ValueError(f"The event type {kind.name!r} tells of {kind.category!r}, and there is no such category.")


def _mark(mark: Requires | Public) -> Callable[[Endpoint], Endpoint]:
    def marked(endpoint: Endpoint) -> Endpoint:
        endpoint.__keyrack__ = mark  # type: ignore[attr-defined]
        return endpoint

    return marked


def _call() -> Call:
    call = CURRENT.get()
    if call is None:
        raise RuntimeError("there is no call here: use this inside a handler of a guarded route")
    return call


def _payload(event: EventType, subject: Any) -> Mapping[str, Any]:
    if event.schema is None:
        return {"id": str(subject.id)}
    shown: Mapping[str, Any] = event.schema.model_validate(subject, from_attributes=True).model_dump(mode="json")  # type: ignore[attr-defined]
    return shown
