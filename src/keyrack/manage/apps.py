"""Apps: register, change and delete OAuth clients. They belong to the workspace in which somebody with org-level Admin registered them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.manage.keys import refuse_haste
from keyrack.manage.rights import checked_partner
from keyrack.model.apps import SCOPES_MAX, SPACES, URI_LENGTH_MAX, URIS_MAX, App, levels_of, offered, refused_redirect_uri, scopes_of
from keyrack.model.events import EventType
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST
from keyrack.store import apps as rows
from keyrack.store import endpoints as endpoint_rows
from keyrack.store import grants as grant_rows
from keyrack.store.database import Connection
from keyrack.store.ids import new_id

APP_CREATED = EventType("app.created", description="An app was registered.")
APP_UPDATED = EventType("app.updated", description="What an app is called, asks for or is sent to was changed.")
APP_SECRET_ROTATED = EventType("app.secret_rotated", description="An app got another client secret, and the one before ended.")
APP_DELETED = EventType("app.deleted", description="An app was deleted: whatever it was let into refuses it.")
NAME_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Registered:
    """An app, and its new client secret, which leaves here once. A public app has none. The repr hides it."""

    app: App
    secret: Secret | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An app as one line of a page, and how many members of its workspace let it act for them."""

    app: App
    grants: int = 0


async def get(desk: Desk, actor: Principal, app_id: str) -> Listed:
    """Return an app of the workspace. Raises Refused 403 without org-level Admin, 404."""
    actor.require_admin("see the workspace's apps")
    async with desk.store.reading() as c:
        return (await _listed(c, actor, [await rows.get(c, actor.workspace.id, app_id)]))[0]


async def page(
    desk: Desk, actor: Principal, *, limit: int, after: Place | None = None, order: Order = NEWEST, **filters: Any
) -> list[Listed]:
    """Return the apps that were registered in the workspace. `filters` are `search`, part of a name, and `updated_after` (ms).

    Raises Refused 403 without org-level Admin.
    """
    actor.require_admin("see the workspace's apps")
    async with desk.store.reading() as c:
        return await _listed(c, actor, await rows.page(c, actor.workspace.id, limit=limit, after=after, order=order, **filters))


async def grants_elsewhere(desk: Desk, actor: Principal, app_id: str) -> int:
    """Return how many members of other workspaces let an app of this one act for them. Raises Refused 403 without org-level Admin."""
    actor.require_admin("see the workspace's apps")
    async with desk.store.reading() as c:
        return await rows.count_grants_elsewhere(c, actor.workspace.id, app_id)


async def create(
    desk: Desk,
    actor: Principal,
    *,
    name: str,
    redirect_uris: Sequence[str],
    scopes: Collection[str],
    own_scopes: Collection[str] = (),
    public: bool = False,
    homepage_url: str | None = None,
    partner: str | None = None,
) -> Registered:
    """Register an app. Only its client secret proves it, unless it is `public`. With `own_scopes` it acts in the workspace for itself, too.

    Raises Refused: 403 without org-level Admin; 400 for a redirect URI that cannot be one, a scope that there is not, or none at all,
    and for a public app with scopes of its own: it cannot prove itself.
    """
    _require(actor, "register apps")
    refuse_haste(desk, actor)
    about = {"name": name, "homepage_url": homepage_url, "partner": partner}
    chosen = _checked(desk, {**about, "redirect_uris": redirect_uris, "scopes": scopes, "own_scopes": own_scopes})
    _refuse_unproved(public, chosen)
    async with change(desk, actor) as c:
        times: dict[str, Any] = {"created_at": c.now, "updated_at": c.now}
        by: dict[str, Any] = {"made_by": actor.credential_id, "made_by_name": actor.credential_name}
        made, secret = App(id=new_id(), workspace_id=c.workspace_id, client_id=new_id(), **times, **by, **chosen), None
        if not public:
            made, secret = _with_secret(desk, made, c.now)
        await rows.add(c.connection, made)
        c.record(APP_CREATED, made.id, shown(made))
    return Registered(made, secret)


async def edit(desk: Desk, actor: Principal, app_id: str, **fields: Any) -> App:
    """Change some of `name`, `redirect_uris`, `scopes`, `own_scopes`, `homepage_url` and `partner`.

    When this returns, no token of the app reaches further than its new `scopes` or `own_scopes`, in whatever workspace. What members have
    granted stays: a scope that comes back reaches as far as they had allowed. Raises Refused as `create` does, and 404.
    """
    _require(actor, "change apps")
    chosen = _checked(desk, fields)
    async with change(desk, actor) as c:
        before = await rows.get(c.connection, c.workspace_id, app_id)
        _refuse_unproved(before.is_public, chosen)
        edited = replace(before, updated_at=c.now, **chosen)
        await rows.save(c.connection, edited)
        c.touch(edited.id)
        c.record(APP_UPDATED, edited.id, shown(edited))
    return edited


async def rotate_secret(desk: Desk, actor: Principal, app_id: str) -> Registered:
    """Give an app another client secret: when this returns, the one before proves nothing.

    Raises Refused 403, 404; 409 for a public app.
    """
    _require(actor, "change apps")
    refuse_haste(desk, actor)
    async with change(desk, actor) as c:
        before = await rows.get(c.connection, c.workspace_id, app_id)
        if before.is_public:
            raise CONFLICT("A public app has no client secret.")
        edited, secret = _with_secret(desk, replace(before, updated_at=c.now), c.now)
        await rows.save(c.connection, edited)
        c.touch(edited.id)
        c.record(APP_SECRET_ROTATED, edited.id, shown(edited))
    return Registered(edited, secret)


async def delete(desk: Desk, actor: Principal, app_id: str) -> None:
    """Delete an app: when this returns, every token that it got is refused, in whatever workspace. Raises Refused 403, 404."""
    _require(actor, "delete apps")
    async with change(desk, actor) as c:
        before = await rows.get(c.connection, c.workspace_id, app_id)
        await rows.save(c.connection, replace(before, deleted_at=c.now, updated_at=c.now))
        # Its own endpoints hear of nothing else, and could belong to nobody.
        by = actor.credential_name
        c.touch(app_id, *await endpoint_rows.delete_of_app(c.connection, c.workspace_id, app_id, at=c.now, by=by))
        c.record(APP_DELETED, app_id, shown(before))


def shown(app: App) -> dict[str, Any]:
    """What events tell of an app."""
    return {
        "id": app.id,
        "name": app.name,
        "client_id": app.client_id,
        "public": app.is_public,
        "redirect_uris": list(app.redirect_uris),
        "scopes": list(app.scopes),
        "own_scopes": list(app.own_scopes),
        "homepage_url": app.homepage_url,
        "partner": app.partner,
    }


async def _listed(c: Connection, actor: Principal, found: Sequence[App]) -> list[Listed]:
    counted = await grant_rows.count_of_apps(c, actor.workspace.id, [app.id for app in found])
    return [Listed(app, counted.get(app.id, 0)) for app in found]


def _require(actor: Principal, doing: str) -> None:
    """Raise Refused 403 for whoever does not manage the workspace; and for a test key, as apps reach live data."""
    actor.require_admin(doing)
    if actor.mode is Mode.TEST:
        raise INSUFFICIENT_PERMISSION("Apps act on live data: a test key makes and changes none.")


def _with_secret(desk: Desk, app: App, now: int) -> tuple[App, Secret]:
    secret = mint(desk.brand.oauth_prefix("client_secret"))
    proof: dict[str, Any] = {"secret_digest": digest(secret.text.encode()), "secret_prefix": secret.shown_prefix, "secret_made_at": now}
    return replace(app, **proof, secret_ended_at=None), secret


def _checked(desk: Desk, fields: dict[str, Any]) -> dict[str, Any]:
    """Return these fields in the form in which they are stored. Raises Refused 400."""
    checked = dict(fields)
    if "name" in fields:
        checked["name"] = str(fields["name"]).strip()
        if not checked["name"] or len(checked["name"]) > NAME_LENGTH_MAX or not checked["name"].isprintable():
            raise INVALID_REQUEST(f"A name has 1 to {NAME_LENGTH_MAX} printable characters.", param="name")
    if "redirect_uris" in fields:
        checked["redirect_uris"] = _redirect_uris(fields["redirect_uris"])
    if "scopes" in fields:
        checked["scopes"] = _scopes(desk, fields["scopes"])
    if "own_scopes" in fields:
        checked["own_scopes"] = _own_scopes(desk, fields["own_scopes"])
    if "partner" in fields:
        checked["partner"] = checked_partner(fields["partner"])
    homepage = (fields.get("homepage_url") or "").strip()
    if "homepage_url" in fields:
        checked["homepage_url"] = homepage or None
    if homepage and (not homepage.startswith("https://") or len(homepage) > URI_LENGTH_MAX or not homepage.isprintable()):
        raise INVALID_REQUEST("A home page begins with https://.", param="homepage_url")
    return checked


def _redirect_uris(given: Sequence[str]) -> tuple[str, ...]:
    uris = tuple(dict.fromkeys(given))
    if not 1 <= len(uris) <= URIS_MAX:
        raise INVALID_REQUEST(f"An app has 1 to {URIS_MAX} redirect URIs.", param="redirect_uris")
    for uri in uris:
        if (problem := refused_redirect_uri(uri)) is not None:
            raise INVALID_REQUEST(problem, param="redirect_uris")
    return uris


def _scopes(desk: Desk, given: Collection[str]) -> tuple[str, ...]:
    known = offered(desk.categories)
    unknown = next((scope for scope in given if scope not in known), None)
    if not given or len(given) > SCOPES_MAX or unknown is not None:
        raise INVALID_REQUEST(f"Name at least one of these permissions: {', '.join(known)}.", param="scopes")
    return scopes_of(levels_of(given))


def _own_scopes(desk: Desk, given: Collection[str]) -> tuple[str, ...]:
    known = [scope for scope in offered(desk.categories) if not scope.startswith(f"{SPACES}:")]
    if len(given) > SCOPES_MAX or not set(given) <= set(known):
        raise INVALID_REQUEST(f"What an app may do for itself are some of these permissions: {', '.join(known)}.", param="own_scopes")
    return scopes_of(levels_of(given))


def _refuse_unproved(is_public: bool, chosen: dict[str, Any]) -> None:
    if is_public and chosen.get("own_scopes"):
        raise INVALID_REQUEST("A public app cannot prove itself, so it has no permissions of its own.", param="own_scopes")
