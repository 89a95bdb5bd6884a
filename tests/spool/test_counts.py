"""Calls are counted with the lines that tell of them: once, whoever moves them, and as soon as they are in the log."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from keyrack.model.call_counts import MINUTE_MS, Subject, buckets
from keyrack.model.request_logs import DAY_MS, RequestLog, encode
from keyrack.store import call_counts, credential_uses, request_logs, spool_positions
from keyrack.store.database import Store
from keyrack.store.spool import Spool
from keyrack.work.request_logs import Mover, prune, settle
from tests.spool.lines import NOW, a_line


def append(spool: Spool, *lines: RequestLog) -> None:
    """Log these calls."""
    for line in lines:
        spool.reserve()
        spool.append(encode(line))


ALL = Subject()


async def calls(store: Store, subject: Subject = ALL, mode: str | None = None) -> dict[int, int]:
    """The calls of each minute since NOW."""
    first = NOW // MINUTE_MS
    async with store.reading_traffic() as c:
        counts = await call_counts.by_minute(c, "org_acme", subject, mode, first - 60, first + 3000)
    return {minute - first: count.calls for minute, count in counts.items()}


LINES = [
    *(a_line(at=NOW + number * 1000, duration_us=number) for number in range(150)),
    a_line(at=NOW, credential_id="key_2", method="POST", status=403, mode="test"),
    a_line(at=NOW, credential_id="key_2", status=500),
    a_line("org_other", at=NOW),
    a_line(None, at=NOW, credential_id=None),
]


@pytest.mark.parametrize("settled", [False, True])
async def test_totals_equal_the_lines_before_and_after_they_are_settled(store: Store, spool: Spool, settled: bool) -> None:
    append(spool, *LINES)
    await Mover(store, spool).move()
    if settled:
        assert await settle(store, NOW + DAY_MS) > 0
        assert await settle(store, NOW + DAY_MS) == 0
    minutes: dict[int, int] = {}
    for line in LINES:
        if line.workspace_id == "org_acme":
            minute = line.created_at // MINUTE_MS - NOW // MINUTE_MS
            minutes[minute] = minutes.get(minute, 0) + 1
    assert await calls(store) == minutes
    assert sum((await calls(store, Subject("credential", "key_1"))).values()) == 150
    assert sum((await calls(store, Subject("integration", "integration_1"))).values()) == 152
    assert await calls(store, Subject.operation("POST", "/api/v1/customers")) == {0: 1}
    assert await calls(store, Subject("credential", "key_2"), "test") == {0: 1}
    async with store.reading_traffic() as c:
        used = await call_counts.operations_used(c, "org_acme", ["key_2", "key_nobody"])
        # The call that was refused for want of a right used none.
        assert used == {"key_2": {("GET", "/api/v1/customers")}}
        assert await call_counts.operations_used(c, "org_other", ["key_2"]) == {}
        assert (await credential_uses.of(c, "org_acme", ["key_1"]))["key_1"].used_at == NOW + 149_000


@pytest.mark.parametrize("until", [180, 150])
async def test_hours_have_the_calls_of_their_minutes_whenever_those_are_settled(store: Store, spool: Spool, until: int) -> None:
    hour = NOW // MINUTE_MS // 60 * 60
    for part in range(3):
        lines = [a_line(at=(hour + minute) * MINUTE_MS, duration_us=minute) for minute in range(part, 175, 3)]
        append(spool, *lines, a_line(at=(hour + 70) * MINUTE_MS, status=403, mode="test"))
        await Mover(store, spool).move()
        if part < 2:
            await settle(store, NOW + DAY_MS)
    for mode in (None, "test"):
        async with store.reading_traffic() as c:
            minutes = await call_counts.by_minute(c, "org_acme", ALL, mode, hour, hour + until - 1)
            hours = await call_counts.by_step(c, "org_acme", ALL, mode, hour, hour + until - 1, 60)
        since, end = hour * MINUTE_MS, (hour + until) * MINUTE_MS
        assert buckets(hours, since, end, 60 * MINUTE_MS) == buckets(minutes, since, end, 60 * MINUTE_MS)
        assert sum(count.calls for count in hours.values()) == (3 if mode else min(until, 175) + 3)


async def test_the_minute_that_runs_is_not_settled_until_many_calls_wait(
    store: Store, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(spool, a_line(at=NOW), a_line(at=NOW))
    await Mover(store, spool).move()
    assert await settle(store, NOW) == 0
    monkeypatch.setattr("keyrack.work.request_logs.UNSETTLED_MAX", 1)
    assert await settle(store, NOW) == 1
    append(spool, a_line(at=NOW))
    await Mover(store, spool).move()
    assert await calls(store) == {0: 3}
    assert await settle(store, NOW + 2 * MINUTE_MS) == 1
    assert await calls(store) == {0: 3}


async def test_a_line_that_is_moved_again_is_not_counted_again(store: Store, spool: Spool, tmp_path: Path) -> None:
    lines = [a_line(at=NOW + number) for number in range(10)]
    append(spool, *lines[:6])
    assert await Mover(store, spool).move() == 6
    # Another one moves the same file from its beginning, because what was known of it is gone.
    async with store.writing_traffic() as c:
        for segment in spool.own():
            await spool_positions.forget(c, segment.name)
    append(spool, *lines[6:])
    with capture_logs() as logs:
        assert await Mover(store, Spool(tmp_path / "spool", 65536)).move_others() == 4
    assert logs == []
    assert await calls(store) == {0: 10}
    async with store.reading_traffic() as c:
        assert await request_logs.missing(c, lines) == []


async def test_counts_go_with_the_log(store: Store, spool: Spool) -> None:
    append(spool, *LINES)
    await Mover(store, spool).move()
    await settle(store, NOW + DAY_MS)

    async def keep_days(_ids: object) -> dict[str, int]:
        return {"org_acme": 7}

    await prune(store, keep_days, NOW + 7 * DAY_MS)
    assert sum((await calls(store)).values()) == 152
    await prune(store, keep_days, NOW + 9 * DAY_MS)
    assert await calls(store) == {}
