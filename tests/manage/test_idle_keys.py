"""Idle keys are those that work, are not new, and were not used of late."""

from keyrack.manage import idle_keys, keys
from keyrack.manage.desk import Desk
from keyrack.model.refusals import INSUFFICIENT_PERMISSION
from keyrack.model.request_logs import CredentialUse
from keyrack.store import credential_uses
from tests.hosts import ALL_RIGHTS, Host
from tests.manage.conftest import Actors
from tests.manage.refused import refused

DAY = 24 * 3600


async def used(host: Host, desk: Desk, *key_ids: str) -> None:
    """Let keys have been used now."""
    async with desk.store.writing_traffic() as c:
        await credential_uses.save(c, [CredentialUse(key_id, host.workspace.id, host.clock.now(), FROM) for key_id in key_ids])


FROM = "192.0.2.9"


async def test_keys_that_were_not_used_for_thirty_days_are_idle(host: Host, desk: Desk) -> None:
    never, long_ago, busy, ended = [await host.key(name=name) for name in ("never", "long ago", "busy", "ended")]
    await used(host, desk, long_ago.key.id, busy.key.id)
    await keys.revoke(desk, host.owner, ended.key.id)
    host.clock.pass_seconds(31 * DAY)
    await used(host, desk, busy.key.id)
    await host.key(name="new")
    found = await idle_keys.page(desk, host.owner, limit=9)
    assert ["long ago", "never"] == sorted(one.key.name for one in found)
    assert [] == await idle_keys.page(desk, host.owner, limit=9, days=60)
    assert ["never"] == [one.key.name for one in await idle_keys.page(desk, host.owner, limit=9, search="never")]
    (first,) = await idle_keys.page(desk, host.owner, limit=1)
    (second,) = await idle_keys.page(desk, host.owner, limit=1, after=(first.key.created_at, first.key.id))
    assert {never.key.id, long_ago.key.id} == {first.key.id, second.key.id}


async def test_only_admins_ask(host: Host, desk: Desk, actors: Actors) -> None:
    with refused(INSUFFICIENT_PERMISSION):
        await idle_keys.page(desk, await actors.behind(await host.key(ALL_RIGHTS)), limit=9)
