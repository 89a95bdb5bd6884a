"""Leaks: a credential that somebody found is ended at once, and whoever looks after it is told.

Each kind of credential has one line in `_WAYS`: how it is found by its digest, and what ends those of one workspace.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, well_formed
from keyrack.manage import apps, attempts, grants, keys, mail, token_endings
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.keys import KEY_REVOKED
from keyrack.model.events import EventType
from keyrack.model.grants import EndReason as GrantEndReason
from keyrack.model.keys import EndReason, Key
from keyrack.model.leaks import FOUND_IN_LENGTH_MAX, REPORT, SOURCE_LENGTH_MAX, Ended, Finder, Hit, Leak
from keyrack.model.principals import Principal
from keyrack.model.principals import operator as principal_of
from keyrack.model.refusals import INVALID_REQUEST
from keyrack.model.request_logs import Mask
from keyrack.model.tokens import EndReason as TokenEndReason
from keyrack.model.workspaces import Workspace
from keyrack.store import apps as app_rows
from keyrack.store import events, lookup, oauth_lookup
from keyrack.store import grants as grant_rows
from keyrack.store import keys as key_rows
from keyrack.store import members as member_rows
from keyrack.store import oauth_tokens as oauth_token_rows
from keyrack.store import tokens as token_rows
from keyrack.store.database import Connection

Part = TypeVar("Part")

KEY_LEAKED = EventType("key.leaked", description="A key was found where others can read it, and was revoked for that.")
TOKEN_LEAKED = EventType("token.leaked", description="A personal token was found where others can read it, and was ended for that.")
GRANT_LEAKED = EventType(
    "grant.leaked", description="A token of a grant was found where others can read it, and the grant was ended for that."
)
APP_TOKEN_LEAKED = EventType(
    "app.token_leaked", description="A token that an app had for itself was found where others can read it, and was ended for that."
)
APP_SECRET_LEAKED = EventType(
    "app.secret_leaked", description="An app's client secret was found where others can read it, and was ended for that."
)

LOOKED_UP_AT_ONCE = 500
ENDED_AT_ONCE = 100
"""How many credentials one change ends: other changes of the workspace wait for it."""
READERS_MAX = 20
REPORTED = "If this was a key, token or client secret of ours, it is revoked now."
"""What everybody is told who reports one: whether there was such a key, they learn from its next call alone."""


async def report(desk: Desk, secret: Secret, *, found_in: str, address: str) -> None:
    """End the credential whose secret somebody has, on no other proof than that. Says nothing of whether there was one.

    Raises Refused: `too_many_failures`; 400 for what has not the shape of a secret, which everybody can tell by its checksum.
    """
    attempts.count_report(desk, address)
    if not well_formed(secret.text):
        raise INVALID_REQUEST(f"This is no whole key of {desk.brand.name}: it was cut off or mistyped.", param="secret")
    await end(desk, [Leak(digest(secret.text.encode()), found_in, "report")], REPORT)


async def end(desk: Desk, leaks: Sequence[Leak], finder: Finder) -> set[bytes]:
    """End what was found of credentials that go on, and return the digests of all that are or were ours.

    When this returns, they are refused everywhere. Of one that has ended nothing more is told, whoever ended it.
    """
    first = {leak.digest: leak for leak in reversed(leaks)}
    mask = Mask(desk.brand.prefixes)
    known: set[bytes] = set()
    for digests in _parts(list(first), LOOKED_UP_AT_ONCE):
        for find, end_some in _WAYS:
            async with desk.store.reading() as c:
                found = await find(c, digests)
            known |= {one.digest for one in found}
            for workspace, theirs in _by_workspace(found, desk.now()):
                for some in _parts(theirs, ENDED_AT_ONCE):
                    await end_some(desk, workspace, {one.id: _fit(first[one.digest], mask) for one in some}, finder)
    return known


async def places(desk: Desk, actor: Principal, listed: Iterable[Key]) -> dict[str, str]:
    """Return where those of these keys were found that leaked, by their ids: an address or words, which strangers may have written.

    Raises Refused 403 without org-level Admin.
    """
    actor.require_admin("read keys")
    leaked = [key.id for key in listed if key.end_reason is EndReason.LEAKED]
    if not leaked:
        return {}
    async with desk.store.reading() as c:
        told = await events.of_objects(c, actor.workspace.id, KEY_LEAKED.name, leaked)
    return {event.object_id: str(event.data.get("found_in") or "") for event in told}


async def _end_keys(desk: Desk, workspace: Workspace, found: Mapping[str, Leak], finder: Finder) -> None:
    """End keys of one workspace in one change, and tell of them."""
    actor = _acting(desk, workspace, finder)
    async with change(desk, actor) as c:
        ended: list[Ended] = []
        for key_id, leak in found.items():
            key = await key_rows.get(c.connection, workspace.id, key_id)
            if key.ended(c.now):
                continue
            key = await keys.end(c, actor, key, c.now, EndReason.LEAKED, key.successor_id)
            # Its finder has no mode: what happened to a test key is told to who hears of test calls.
            c.record(KEY_LEAKED, key.id, {**keys.shown(key), **_place(leak)}, key.mode)
            c.record(KEY_REVOKED, key.id, keys.shown(key), key.mode)
            ended.append(Ended(key.name, key.prefix, key.made_by, leak))
        await _tell(desk, c, workspace, ended, finder, desk.brand.words.key, "/console/keys?state=ended")


async def _end_tokens(desk: Desk, workspace: Workspace, found: Mapping[str, Leak], finder: Finder) -> None:
    """End personal tokens of one workspace in one change, with those that were made with them, and tell of them."""
    async with change(desk, _acting(desk, workspace, finder)) as c:
        held = [await token_rows.get(c.connection, workspace.id, token_id) for token_id in found]
        going = [token for token in held if not token.has_ended]
        told = [token for token in await token_endings.end(c, going, by=finder.name, reason=TokenEndReason.LEAKED) if token.id in found]
        for token in told:
            c.record(TOKEN_LEAKED, token.id, {**token_endings.shown(token), **_place(found[token.id])})
        ended = [Ended(token.name, token.prefix, token.member_id, found[token.id]) for token in told]
        await _tell(desk, c, workspace, ended, finder, "personal token", "/console")


async def _end_grants(desk: Desk, workspace: Workspace, found: Mapping[str, Leak], finder: Finder) -> None:
    """End grants of one workspace of which any token was found, and tell of them."""
    async with change(desk, _acting(desk, workspace, finder)) as c:
        held = [await grant_rows.held(c.connection, workspace.id, grant_id) for grant_id in found]
        names = {one.id: one.app.name for one in held}
        going = [one.grant for one in held if one.grant.ended_at is None]
        told = await grants.end(c, going, by=finder.name, reason=GrantEndReason.LEAKED)
        for grant in told:
            c.record(GRANT_LEAKED, grant.id, {**grants.shown(grant), **_place(found[grant.id])})
        ended = [Ended(names[grant.id], f"{desk.brand.key_prefix}_", grant.member_id, found[grant.id]) for grant in told]
        await _tell(desk, c, workspace, ended, finder, "app token", "/console")


async def _end_app_tokens(desk: Desk, workspace: Workspace, found: Mapping[str, Leak], finder: Finder) -> None:
    """End tokens that apps of one workspace have for themselves, and tell of them."""
    async with change(desk, _acting(desk, workspace, finder)) as c:
        ended: list[Ended] = []
        for token_id, leak in found.items():
            token = await oauth_token_rows.app_token(c.connection, workspace.id, token_id)
            if not await oauth_token_rows.end_app_token(c.connection, workspace.id, token_id, c.now):
                continue
            app = await app_rows.get(c.connection, workspace.id, token.app_id)
            c.touch(token_id)
            c.record(APP_TOKEN_LEAKED, app.id, {"id": app.id, "name": app.name, "prefix": token.prefix, **_place(leak)})
            ended.append(Ended(app.name, token.prefix, app.made_by, leak))
        await _tell(desk, c, workspace, ended, finder, "app token", "/console/apps")


async def _end_client_secrets(desk: Desk, workspace: Workspace, found: Mapping[str, Leak], finder: Finder) -> None:
    """End the client secrets of apps of one workspace in one change, and tell of them. An admin makes new ones."""
    async with change(desk, _acting(desk, workspace, finder)) as c:
        ended: list[Ended] = []
        for app_id, leak in found.items():
            app = await app_rows.get(c.connection, workspace.id, app_id)
            if app.secret_ended_at is not None or app.secret_digest != leak.digest:
                continue
            await app_rows.save(c.connection, replace(app, secret_ended_at=c.now, updated_at=c.now))
            c.touch(app_id)
            c.record(APP_SECRET_LEAKED, app_id, {**apps.shown(app), **_place(leak)})
            ended.append(Ended(app.name, app.secret_prefix or "", app.made_by, leak))
        await _tell(desk, c, workspace, ended, finder, "client secret", "/console/apps")


_Find = Callable[[Connection, Collection[bytes]], Awaitable[Sequence[Hit]]]
_End = Callable[[Desk, Workspace, Mapping[str, Leak], Finder], Awaitable[None]]
_WAYS: Sequence[tuple[_Find, _End]] = (
    (lookup.leaked_keys, _end_keys),
    (lookup.leaked_tokens, _end_tokens),
    (oauth_lookup.leaked_grants, _end_grants),
    (oauth_lookup.leaked_app_tokens, _end_app_tokens),
    (oauth_lookup.leaked_client_secrets, _end_client_secrets),
)


async def _tell(desk: Desk, c: Change, workspace: Workspace, ended: Sequence[Ended], finder: Finder, word: str, path: str) -> None:
    """Write to org-level Admins of all that was ended, and to any other member of what they look after."""
    if not ended:
        c.found_done()
        return
    everybody = await member_rows.admins(c.connection, workspace.id, now=c.now, limit=READERS_MAX)
    told = {one.email: list(ended) for one in everybody}
    for keeper in (await member_rows.named(c.connection, workspace.id, {one.keeper_id for one in ended})).values():
        if keeper.active(c.now):
            told.setdefault(keeper.email, [one for one in ended if one.keeper_id == keeper.id])
    for email, theirs in told.items():
        await mail.queue(desk, c.connection, mail.leak_letter(desk, email, workspace, theirs, finder, word, path))


def _acting(desk: Desk, workspace: Workspace, finder: Finder) -> Principal:
    """The finder as an actor: nobody of the workspace, and known by name."""
    return replace(principal_of(workspace, dict(desk.categories)), credential_id=finder.id, credential_name=finder.name)


def _place(leak: Leak) -> dict[str, str | None]:
    """What events tell of where something was found."""
    return {"found_in": leak.found_in or None, "source": leak.source or None}


def _fit(leak: Leak, mask: Mask) -> Leak:
    """What strangers wrote, as it may be kept: people paste the whole line, with the secret in it."""
    return replace(leak, found_in=mask(leak.found_in, FOUND_IN_LENGTH_MAX), source=mask(leak.source, SOURCE_LENGTH_MAX))


def _by_workspace(found: Iterable[Hit], now: int) -> Iterable[tuple[Workspace, list[Hit]]]:
    """What was found of each workspace that is there, and works: what a deleted one had is refused already."""
    groups: dict[str, tuple[Workspace, list[Hit]]] = {}
    for one in found:
        if one.workspace.deleted_at is None and (one.until is None or one.until > now):
            groups.setdefault(one.workspace.id, (one.workspace, []))[1].append(one)
    return groups.values()


def _parts(whole: Sequence[Part], length: int) -> Iterable[Sequence[Part]]:
    return (whole[at : at + length] for at in range(0, len(whole), length))
