"""Leaks: a credential that somebody found is ended at once, and whoever looks after it is told.

Each kind of credential has one line in `_WAYS`: how it is found by its digest, and what ends those of one workspace.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, well_formed
from keyrack.manage import attempts, keys, mail, token_endings
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.keys import KEY_REVOKED
from keyrack.model.events import EventType
from keyrack.model.keys import EndReason, Key
from keyrack.model.leaks import FOUND_IN_LENGTH_MAX, REPORT, SOURCE_LENGTH_MAX, Ended, Finder, Leak
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.principals import Principal
from keyrack.model.principals import operator as principal_of
from keyrack.model.refusals import INVALID_REQUEST
from keyrack.model.request_logs import Mask
from keyrack.model.tokens import EndReason as TokenEndReason
from keyrack.model.tokens import Token
from keyrack.model.workspaces import Workspace
from keyrack.store import events, lookup
from keyrack.store import keys as key_rows
from keyrack.store import members as member_rows
from keyrack.store import tokens as token_rows
from keyrack.store.database import Connection

Part = TypeVar("Part")

KEY_LEAKED = EventType("key.leaked", description="A key was found where others can read it, and was revoked for that.")
TOKEN_LEAKED = EventType("token.leaked", description="A personal token was found where others can read it, and was ended for that.")

LOOKED_UP_AT_ONCE = 500
ENDED_AT_ONCE = 100
"""How many credentials one change ends: other changes of the workspace wait for it."""
READERS_MAX = 20
REPORTED = "If this was a key or token of ours, it is revoked now."
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
    mask = Mask((*(desk.brand.prefix(mode) for mode in desk.brand.modes), desk.brand.token_prefix))
    known: set[bytes] = set()
    for digests in _parts(list(first), LOOKED_UP_AT_ONCE):
        for find, end_some in _WAYS:
            async with desk.store.reading() as c:
                found = await find(c, digests)
            known |= {one.digest for one, _ in found}
            for workspace, theirs in _by_workspace(found):
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
            c.record(KEY_LEAKED, key.id, {**keys.shown(key), **_place(leak)})
            c.record(KEY_REVOKED, key.id, keys.shown(key))
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


_Find = Callable[[Connection, Collection[bytes]], Awaitable[Sequence[tuple[Key | Token, Workspace]]]]
_End = Callable[[Desk, Workspace, Mapping[str, Leak], Finder], Awaitable[None]]
_WAYS: Sequence[tuple[_Find, _End]] = ((lookup.leaked_keys, _end_keys), (lookup.leaked_tokens, _end_tokens))


async def _tell(desk: Desk, c: Change, workspace: Workspace, ended: Sequence[Ended], finder: Finder, word: str, path: str) -> None:
    """Write to owners and admins of all that was ended, and to any other member of what they look after."""
    if not ended:
        c.found_done()
        return
    everybody: list[Member] = []
    for role in (Role.OWNER, Role.ADMIN):
        everybody += await member_rows.page(c.connection, workspace.id, limit=READERS_MAX, role=role, status=MemberStatus.ACTIVE)
    told = {one.email: list(ended) for one in everybody[:READERS_MAX] if one.active(c.now)}
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


def _by_workspace(found: Iterable[tuple[Key | Token, Workspace]]) -> Iterable[tuple[Workspace, list[Key | Token]]]:
    """What was found of each workspace that is there: what a deleted one had is refused already."""
    groups: dict[str, tuple[Workspace, list[Key | Token]]] = {}
    for one, workspace in found:
        if workspace.deleted_at is None:
            groups.setdefault(workspace.id, (workspace, []))[1].append(one)
    return groups.values()


def _parts(whole: Sequence[Part], length: int) -> Iterable[Sequence[Part]]:
    return (whole[at : at + length] for at in range(0, len(whole), length))
