"""Leaks: a credential that somebody found is ended at once, and whoever looks after it is told.

Each kind of credential has its own way in here: what `end` looks up, and a function that ends what was found of it in one workspace.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, well_formed
from keyrack.manage import attempts, keys, mail
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.keys import KEY_REVOKED
from keyrack.model.events import EventType
from keyrack.model.keys import EndReason, Key
from keyrack.model.leaks import FOUND_IN_LENGTH_MAX, REPORT, SOURCE_LENGTH_MAX, Finder, Leak
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.principals import Principal
from keyrack.model.principals import operator as principal_of
from keyrack.model.refusals import INVALID_REQUEST
from keyrack.model.request_logs import Mask
from keyrack.model.workspaces import Workspace
from keyrack.store import events, lookup
from keyrack.store import keys as key_rows
from keyrack.store import members as member_rows

Part = TypeVar("Part")

KEY_LEAKED = EventType("key.leaked", description="A key was found where others can read it, and was revoked for that.")

LOOKED_UP_AT_ONCE = 500
ENDED_AT_ONCE = 100
"""How many keys one change ends: other changes of the workspace wait for it."""
READERS_MAX = 20
REPORTED = "If this was a key of ours, it is revoked now."
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
    mask = Mask(desk.brand.prefix(mode) for mode in desk.brand.modes)
    known: set[bytes] = set()
    for digests in _parts(list(first), LOOKED_UP_AT_ONCE):
        async with desk.store.reading() as c:
            found = await lookup.leaked_keys(c, digests)
        known |= {key.digest for key, _ in found}
        for workspace, theirs in _by_workspace(found):
            for some in _parts(theirs, ENDED_AT_ONCE):
                await _end_keys(desk, workspace, {key.id: _fit(first[key.digest], mask) for key in some}, finder)
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
    return {event.object_id: str(event.data.get("found_in", "")) for event in told}


async def _end_keys(desk: Desk, workspace: Workspace, found: Mapping[str, Leak], finder: Finder) -> None:
    """End keys of one workspace in one change, and tell of them."""
    actor = replace(principal_of(workspace, dict(desk.categories)), credential_id=finder.id, credential_name=finder.name)
    async with change(desk, actor) as c:
        ended: list[tuple[Key, Leak]] = []
        for key_id, leak in found.items():
            key = await key_rows.get(c.connection, workspace.id, key_id)
            if key.ended(c.now):
                continue
            key = await keys.end(c, actor, key, c.now, EndReason.LEAKED, key.successor_id)
            c.record(KEY_LEAKED, key.id, _shown(key, leak))
            c.record(KEY_REVOKED, key.id, keys.shown(key))
            ended.append((key, leak))
        if not ended:
            c.found_done()
        for email, theirs in (await _told(c, workspace, ended) if ended else {}).items():
            await mail.queue(desk, c.connection, mail.leak_letter(desk, email, workspace, theirs, finder))


async def _told(c: Change, workspace: Workspace, ended: Sequence[tuple[Key, Leak]]) -> dict[str, list[tuple[Key, Leak]]]:
    """Who is told of what: owners and admins of all of it, any other member of what they made."""
    makers = {key.made_by for key, _ in ended}
    everybody: list[Member] = []
    for role in (Role.OWNER, Role.ADMIN):
        everybody += await member_rows.page(c.connection, workspace.id, limit=READERS_MAX, role=role, status=MemberStatus.ACTIVE)
    told = {one.email: list(ended) for one in everybody[:READERS_MAX] if one.active(c.now)}
    for maker in (await member_rows.named(c.connection, workspace.id, makers)).values():
        if maker.active(c.now):
            told.setdefault(maker.email, [one for one in ended if one[0].made_by == maker.id])
    return told


def _shown(key: Key, leak: Leak) -> dict[str, Any]:
    """What the event tells: the key, and where it was found."""
    return {**keys.shown(key), "found_in": leak.found_in or None, "source": leak.source or None}


def _fit(leak: Leak, mask: Mask) -> Leak:
    """What strangers wrote, as it may be kept: people paste the whole line, with the secret in it."""
    return replace(leak, found_in=mask(leak.found_in, FOUND_IN_LENGTH_MAX), source=mask(leak.source, SOURCE_LENGTH_MAX))


def _by_workspace(found: Iterable[tuple[Key, Workspace]]) -> Iterable[tuple[Workspace, list[Key]]]:
    """The keys of each workspace that is there: those of a deleted one are refused already."""
    groups: dict[str, tuple[Workspace, list[Key]]] = {}
    for key, workspace in found:
        if workspace.deleted_at is None:
            groups.setdefault(workspace.id, (workspace, []))[1].append(key)
    return groups.values()


def _parts(whole: Sequence[Part], length: int) -> Iterable[Sequence[Part]]:
    return (whole[at : at + length] for at in range(0, len(whole), length))
