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
    found = await idle_keys.find(desk, host.owner)
    assert (["long ago", "never"], True) == (sorted(one.key.name for one in found.keys), found.searched_all)
    assert [] == (await idle_keys.find(desk, host.owner, days=60)).keys
    assert 1 == len((await idle_keys.find(desk, host.owner, limit=1)).keys)
    assert never.key.id in {one.key.id for one in found.keys}


async def test_only_admins_ask(host: Host, desk: Desk, actors: Actors) -> None:
    with refused(INSUFFICIENT_PERMISSION):
        await idle_keys.find(desk, await actors.behind(await host.key(ALL_RIGHTS)))
