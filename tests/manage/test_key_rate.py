"""Keys are not limited in number, but made at a limited rate."""

from pathlib import Path

import pytest

from keyrack import Refused
from keyrack.manage import keys
from keyrack.manage.keys import making
from tests.backends import Backend
from tests.hosts import running


async def test_workspace_that_makes_keys_too_fast_is_told_when_to_go_on_and_nothing_is_made(backend: Backend, tmp_path: Path) -> None:
    async with running(backend, tmp_path) as host:
        desk = host.rack.assembly.desk
        made = await host.key()
        with pytest.raises(Refused) as refused:  # noqa: PT012 - units come back while it runs
            for _ in range(50):
                while desk.counters.take((making(host.workspace.id),), 1).allowed:
                    continue
                await keys.create(desk, host.owner, name="one more")
        assert "rate_limited" == refused.value.refusal.code
        assert 1 <= int(refused.value.headers["Retry-After"])
        other = await host.other_workspace()
        assert other.key.key.id != made.key.id
