"""Calls counted by the minute, and what each credential was last used for.

Where lines are moved, their groups are kept beside them in the same transaction, one row per workspace and minute. Each minute they are
sorted into counts and uses, in one transaction too: so a call is counted once, and no call costs a row of its own for each thing that it
counts for. Readers look at both. Beside the minutes lie their hours, so that a chart of a month reads hundreds of rows, not ten thousands.
"""

import secrets
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TypeVar

import msgspec
from sqlalchemy import delete, func, select, tuple_

from keyrack.model.call_counts import MINUTES_PER_DAY, MINUTES_PER_HOUR, CallCount, CallGroup, Durations, Subject
from keyrack.store import postgresql
from keyrack.store.bulk import add_many
from keyrack.store.database import Connection
from keyrack.store.distinct import distinct_after
from keyrack.store.traffic_tables import call_counts, operation_uses, uncounted_calls

SETTLED_AT_ONCE_MAX = 512
DELETED_AT_ONCE_MAX = 2_000
WORKSPACES_AT_ONCE_MAX = 500
KEYS_AT_ONCE_MAX = 500
HOURS = ":hours"
"""Follows the kind of a count of an hour. Its minute is the hour's first, and it has one part, which is read, added to, and replaced."""

REPLACED = ", ".join(f"{name} = excluded.{name}" for name in ("calls", "refused", "errors", "durations"))
LATEST_WINS = "DO UPDATE SET used_at = excluded.used_at WHERE excluded.used_at > keyrack_operation_uses.used_at"

_Place = TypeVar("_Place", bound=Hashable)
_Key = tuple[str, int, str, str, int, str]

_encode = msgspec.msgpack.Encoder().encode
_decode_groups = msgspec.msgpack.Decoder(list[CallGroup]).decode
_decode_durations = msgspec.msgpack.Decoder(Durations).decode
_counts = call_counts.c
_uncounted = uncounted_calls.c
_uses = operation_uses.c


async def add(c: Connection, groups: Iterable[CallGroup]) -> None:
    """Keep groups of calls until they are settled. They count from now on."""
    part = secrets.randbits(63)
    kept: dict[tuple[str, int], list[CallGroup]] = {}
    for group in groups:
        kept.setdefault((group.workspace_id, group.minute), []).append(group)
    rows = [(*key, part, sum(group.calls for group in together), _encode(together)) for key, together in sorted(kept.items())]
    await add_many(c, uncounted_calls, rows)


async def take(c: Connection, before_minute: int) -> list[CallGroup]:
    """Take groups of the minutes before one, some at once, out of what is kept: whoever takes them settles them in this transaction."""
    key = tuple_(*uncounted_calls.primary_key)
    oldest = select(*uncounted_calls.primary_key).where(_uncounted.minute < before_minute).order_by(*uncounted_calls.primary_key)
    # Of two that settle at once, each takes what the other has not.
    chosen = oldest.limit(SETTLED_AT_ONCE_MAX).with_for_update(skip_locked=True)
    rows = await c.all(delete(uncounted_calls).where(key.in_(chosen)).returning(_uncounted.content))
    return [group for row in rows for group in _decode_groups(row.content)]


async def settle(c: Connection, groups: Sequence[CallGroup]) -> None:
    """Sort taken groups into the counts of minutes and the last uses of operations."""
    part = secrets.randbits(63)
    found: dict[_Key, CallCount] = {}
    uses: dict[tuple[str, str, str, str], int] = {}
    for group in groups:
        for subject in group.subjects():
            key = (group.workspace_id, group.minute // MINUTES_PER_DAY, *subject, group.minute, group.mode or "")
            if (count := found.get(key)) is None:
                found[key] = CallCount.of(group)
            else:
                count.add(CallCount.of(group))
        if group.used_its_right and group.route is not None and group.credential_id is not None:
            used = (group.workspace_id, group.credential_id, group.method, group.route)
            uses[used] = max(uses.get(used, 0), group.used_at)
    await add_many(c, call_counts, [(*key, part, n.calls, n.refused, n.errors, _encode(n.durations)) for key, n in sorted(found.items())])
    await _add_hours(c, found)
    await add_many(c, operation_uses, [(*key, at) for key, at in sorted(uses.items())], LATEST_WINS)


async def waiting(c: Connection) -> int:
    """Return how many calls wait for being settled."""
    row = await c.first(select(func.coalesce(func.sum(_uncounted.calls), 0).label("calls")))
    return int(row.calls) if row else 0


async def unsettled(c: Connection, workspace_id: str) -> list[CallGroup]:
    """Return a workspace's groups that are not settled yet: those of the last minute or two."""
    rows = await c.all(select(_uncounted.content).where(_uncounted.workspace_id == workspace_id))
    return [group for row in rows for group in _decode_groups(row.content)]


async def by_minute(c: Connection, workspace_id: str, subject: Subject, mode: str | None, first: int, last: int) -> dict[int, CallCount]:
    """Return the counts of minutes (since the epoch) from a first to a last one, of those in which there were calls."""
    return await by_step(c, workspace_id, subject, mode, first, last, 1)


async def by_step(
    c: Connection, workspace_id: str, subject: Subject, mode: str | None, first: int, last: int, step: int
) -> dict[int, CallCount]:
    """Return the same for buckets of a step (minutes) that begin at the first: where these are hours, by their first minutes."""
    counts: dict[int, CallCount] = {}
    minutes = first
    if step % MINUTES_PER_HOUR == 0 and first % MINUTES_PER_HOUR == 0:
        minutes = (last + 1) // MINUTES_PER_HOUR * MINUTES_PER_HOUR
        await _add_settled(c, counts, workspace_id, Subject(subject.kind + HOURS, subject.value), mode, range(first, minutes))
    await _add_settled(c, counts, workspace_id, subject, mode, range(minutes, last + 1))
    for group in await unsettled(c, workspace_id):
        wanted = first <= group.minute <= last and mode in (None, group.mode)
        if wanted and (subject.kind, subject.value) in group.subjects():
            _add(counts, group.minute, CallCount.of(group))
    return counts


async def workspace_ids(c: Connection, after: str) -> list[str]:
    """Return ids of workspaces that have counts, in order, at most WORKSPACES_AT_ONCE_MAX: those that follow `after`."""
    return [row.id for row in await c.all(distinct_after(_counts.workspace_id, after, WORKSPACES_AT_ONCE_MAX))]


async def operations_used(c: Connection, workspace_id: str, credential_ids: Collection[str]) -> dict[str, set[tuple[str, str]]]:
    """Return the operations (method, route template) that each of these credentials was accepted for, of those with any."""
    own = (_uses.workspace_id == workspace_id) & _uses.credential_id.in_(credential_ids)
    found: dict[str, set[tuple[str, str]]] = {}
    for row in await c.all(select(_uses.credential_id, _uses.method, _uses.route).where(own)):
        found.setdefault(row.credential_id, set()).add((row.method, row.route))
    for group in await unsettled(c, workspace_id):
        used_by = group.credential_id
        if used_by is not None and used_by in credential_ids and group.used_its_right and group.route is not None:
            found.setdefault(used_by, set()).add((group.method, group.route))
    return found


async def delete_before(c: Connection, workspace_id: str, minute: int) -> int:
    """Delete a workspace's counts of the days that ended before a minute, at most DELETED_AT_ONCE_MAX; return how many."""
    key = list(call_counts.primary_key)
    old = (_counts.workspace_id == workspace_id) & (_counts.day < minute // MINUTES_PER_DAY)
    return await c.execute(delete(call_counts).where(tuple_(*key).in_(select(*key).where(old).order_by(*key).limit(DELETED_AT_ONCE_MAX))))


async def forget_uses_before(c: Connection, at: int) -> int:
    """Forget uses of operations before a time (ms), whatever the workspace: nobody shows them any more."""
    return await c.execute(delete(operation_uses).where(_uses.used_at < at))


async def _add_settled(
    c: Connection, counts: dict[int, CallCount], workspace_id: str, subject: Subject, mode: str | None, minutes: range
) -> None:
    if not minutes:
        return
    days = range(minutes[0] // MINUTES_PER_DAY, minutes[-1] // MINUTES_PER_DAY + 1)
    columns = (_counts.minute, _counts.calls, _counts.refused, _counts.errors, _counts.durations)
    of = (_counts.workspace_id == workspace_id, _counts.day.in_(days), _counts.kind == subject.kind, _counts.value == subject.value)
    settled = select(*columns).where(*of, _counts.minute.between(minutes[0], minutes[-1]))
    for row in await c.all(settled if mode is None else settled.where(_counts.mode == mode)):
        _add(counts, row.minute, CallCount(row.calls, row.refused, row.errors, _decode_durations(row.durations)))


async def _add_hours(c: Connection, minutes: Mapping[_Key, CallCount]) -> None:
    """Add counts of minutes to those of their hours."""
    if c.dialect == postgresql.DIALECT:
        # What is read here is replaced: one at a time.
        await c.all(postgresql.lock(postgresql.Lock.COUNTS))
    hours: dict[_Key, CallCount] = {}
    for (workspace_id, day, kind, value, minute, mode), count in minutes.items():
        key = (workspace_id, day, kind + HOURS, value, minute - minute % MINUTES_PER_HOUR, mode)
        _add(hours, key, CallCount(count.calls, count.refused, count.errors, dict(count.durations)))
    keys, columns = sorted(hours), tuple_(*list(call_counts.primary_key)[:-1])
    for start in range(0, len(keys), KEYS_AT_ONCE_MAX):
        some = columns.in_(keys[start : start + KEYS_AT_ONCE_MAX])
        for row in await c.all(select(call_counts).where(some)):
            key = (row.workspace_id, row.day, row.kind, row.value, row.minute, row.mode)
            hours[key].add(CallCount(row.calls, row.refused, row.errors, _decode_durations(row.durations)))
    rows = [(*key, 0, n.calls, n.refused, n.errors, _encode(n.durations)) for key, n in sorted(hours.items(), key=itemgetter(0))]
    await add_many(c, call_counts, rows, f"DO UPDATE SET {REPLACED}")


def _add(counts: dict[_Place, CallCount], place: _Place, count: CallCount) -> None:
    if place in counts:
        counts[place].add(count)
    else:
        counts[place] = count
