"""Apps over HTTP. Client secrets are in the answers that create and rotate them, and nowhere else."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import MISSING, Field, StrictBool, StringConstraints

from keyrack.api.app_examples import APP, ISSUED_APP, NEW_APP, UNINSTALLED
from keyrack.api.dependencies import ADMIN, NEVER_STORED, PLAIN, Actor, Desk
from keyrack.api.fields import Body, Name, ObjectView, Partner, PathId, Search, Time, View
from keyrack.api.lists import NamedQuery, Page, TheLists
from keyrack.manage import apps, grants
from keyrack.manage.apps import Listed, Registered
from keyrack.model.apps import SCOPES_MAX, URI_LENGTH_MAX, URIS_MAX
from keyrack.model.refusals import CONFLICT, SHOWN_ONCE
from keyrack.model.refused import saying

router = APIRouter(prefix="/apps")

Uri = Annotated[str, StringConstraints(min_length=1, max_length=URI_LENGTH_MAX)]
RedirectUris = Annotated[
    list[Uri],
    Field(min_length=1, max_length=URIS_MAX, description="Where members are led back to, compared letter by letter."),
]
Scope = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z0-9_]+:(read|write)$")]
Scopes = Annotated[
    list[Scope],
    Field(min_length=1, max_length=SCOPES_MAX, description="What it asks for at most: `customers:read`; `spaces:read` in spaces."),
]
OwnScopes = Annotated[
    list[Scope],
    Field(max_length=SCOPES_MAX, description="What it may do in the workspace for itself, without any member; empty for nothing."),
]
Homepage = Annotated[
    Annotated[str, StringConstraints(max_length=URI_LENGTH_MAX)] | None,
    Field(description="Its home page, which begins with https://; members are shown it."),
]


class NewApp(Body):
    """An app to register."""

    EXAMPLE: ClassVar = NEW_APP

    name: Name
    redirect_uris: RedirectUris
    scopes: Scopes
    own_scopes: OwnScopes = Field(default_factory=list)
    public: Annotated[StrictBool, Field(description="True for one that can keep no secret: it proves itself by PKCE alone.")] = False
    homepage_url: Homepage = None
    partner: Partner | None = None


class AppChanges(Body):
    """The fields of an app that change, each as a whole."""

    EXAMPLE: ClassVar = {"scopes": ["customers:read"]}

    name: Name | MISSING = MISSING
    redirect_uris: RedirectUris | MISSING = MISSING
    scopes: Scopes | MISSING = MISSING
    own_scopes: OwnScopes | MISSING = MISSING
    homepage_url: Homepage | MISSING = MISSING
    partner: Partner | MISSING | None = MISSING


class AppQuery(NamedQuery):
    """The filters of the list of apps."""

    search: Search | None = None


class AppView(ObjectView):
    """An app that was registered in the workspace: an OAuth client."""

    EXAMPLE: ClassVar = APP

    object: Literal["app"] = "app"
    name: str
    client_id: Annotated[str, Field(description="What the app calls itself, in OAuth.")]
    public: Annotated[bool, Field(description="Whether it has no client secret.")]
    redirect_uris: Annotated[tuple[str, ...], Field(description="Where members are led back to.")]
    scopes: Annotated[tuple[str, ...], Field(description="What it asks for at most.")]
    own_scopes: Annotated[tuple[str, ...], Field(description="What it may do in the workspace for itself.")]
    homepage_url: Annotated[str | None, Field(description="Its home page.")]
    partner: str | None
    secret_prefix: Annotated[str | None, Field(description="The part of its client secret that may be shown.")]
    secret_made_at: Annotated[Time | None, Field(description="When its client secret was made.")]
    grants: Annotated[int, Field(description="How many members of this workspace let it act for them.")]
    made_by: str
    made_by_name: str
    created_at: Time
    updated_at: Time


class IssuedAppView(AppView):
    """An app with its new client secret: shown here, this once. A public app has none."""

    EXAMPLE: ClassVar = ISSUED_APP

    secret: str | None


class UninstallationView(View):
    """How many grants ended."""

    EXAMPLE: ClassVar = UNINSTALLED

    object: Literal["uninstallation"] = "uninstallation"
    app_id: Annotated[str, Field(description="The app.")]
    grants_ended: Annotated[int, Field(description="How many members had let it act for them.")]


@router.get("", dependencies=[ADMIN])
async def list_apps(query: Annotated[AppQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[AppView]:
    """List the apps that were registered in the workspace, newest first unless `sort` says otherwise."""
    after = await lists.after(query, partial(apps.get, desk, actor), lambda one: query.order.place(one.app))
    asked = query.filters() | {"updated_after": query.updated_after}
    found = await apps.page(desk, actor, limit=query.limit + 1, after=after, order=query.order, **asked)
    return lists.page(query, found, view, lambda one: query.order.place(one.app))


@router.post("", status_code=201, dependencies=[ADMIN, PLAIN, NEVER_STORED], openapi_extra=saying(SHOWN_ONCE))
async def create_app(body: NewApp, actor: Actor, desk: Desk) -> IssuedAppView:
    """Register an app. `secret` is its client secret, shown in this answer alone."""
    return _issued(Listed((made := await apps.create(desk, actor, **body.values())).app), made)


@router.get("/{app_id}", dependencies=[ADMIN, PLAIN])
async def get_app(app_id: PathId, actor: Actor, desk: Desk) -> AppView:
    """Get an app."""
    return view(await apps.get(desk, actor, app_id))


@router.patch("/{app_id}", dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def update_app(app_id: PathId, body: AppChanges, actor: Actor, desk: Desk) -> AppView:
    """Change fields of an app. Scopes that are taken from it end at once, in every token that it has."""
    await apps.edit(desk, actor, app_id, **body.values())
    return view(await apps.get(desk, actor, app_id))


@router.delete("/{app_id}", status_code=204, dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def delete_app(app_id: PathId, actor: Actor, desk: Desk) -> None:
    """Delete an app: every token that it has is refused, in whatever workspace."""
    await apps.delete(desk, actor, app_id)


@router.post("/{app_id}/rotate", status_code=201, dependencies=[ADMIN, PLAIN, NEVER_STORED], openapi_extra=saying(CONFLICT, SHOWN_ONCE))
async def rotate_app(app_id: PathId, actor: Actor, desk: Desk) -> IssuedAppView:
    """Rotate an app's client secret: the one before proves nothing from then on. `secret` is shown in this answer alone."""
    made = await apps.rotate_secret(desk, actor, app_id)
    return _issued(await apps.get(desk, actor, app_id), made)


@router.post("/{app_id}/uninstall", dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def uninstall_app(app_id: PathId, actor: Actor, desk: Desk) -> UninstallationView:
    """Shut an app out of the workspace, also one that was registered in another: whatever members have let it do ends."""
    return UninstallationView(app_id=app_id, grants_ended=await grants.uninstall(desk, actor, app_id))


def view(listed: Listed) -> AppView:
    """Return an app as it is on the wire."""
    return AppView(**_shown(listed))


def _issued(listed: Listed, made: Registered) -> IssuedAppView:
    return IssuedAppView(**_shown(listed), secret=None if made.secret is None else made.secret.text)


def _shown(listed: Listed) -> dict[str, object]:
    own = ("object", "public", "grants", "secret")
    same = {name: getattr(listed.app, name) for name in AppView.model_fields if name not in own}
    return {**same, "public": listed.app.is_public, "grants": listed.grants}
