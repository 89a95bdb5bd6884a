"""Keys under brands that differ: one key or several, modes or none, rights when nobody chose any."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keyrack.manage import keys
from keyrack.manage.desk import Desk
from keyrack.model.brands import Brand
from keyrack.model.permissions import Rights
from keyrack.model.refusals import CONFLICT, INVALID_REQUEST
from tests.backends import Backend
from tests.hosts import Host, Mode, running
from tests.manage.refused import refused

ONE_KEY = Brand("Pivot", "pivot", test_mode=False, several_keys=False)


@pytest.fixture
async def host(backend: Backend, tmp_path: Path) -> AsyncIterator[Host]:
    """A host whose brand gives each integration one key, and none of them a mode."""
    async with running(backend, tmp_path, ONE_KEY) as one:
        yield one


async def test_integration_of_a_brand_with_one_key_gets_no_second_one_but_a_successor(host: Host, desk: Desk) -> None:
    first = await keys.create(desk, host.owner, name="BI")
    assert Rights() == first.integration.rights
    with refused(CONFLICT, "BI") as raised:
        await keys.create(desk, host.owner, name="second", integration_id=first.integration.id)
    assert {"integration_id": first.integration.id} == raised.value.extra
    successor = await keys.rotate_all(desk, host.owner, first.integration.id)
    assert [401, 200] == [(await host.get("/api/v1/me", key)).status_code for key in (first, successor)]
    await keys.revoke(desk, host.owner, successor.key.id)
    third = await keys.create(desk, host.owner, name="third", integration_id=first.integration.id)
    assert 200 == (await host.get("/api/v1/me", third)).status_code


async def test_key_that_will_end_makes_room_for_the_next(host: Host, desk: Desk) -> None:
    first = await keys.create(desk, host.owner, name="BI", expires_at=host.clock.now() + 1000)
    host.clock.pass_seconds(2)
    second = await keys.create(desk, host.owner, name="BI", integration_id=first.integration.id)
    successor = await keys.rotate(desk, host.owner, second.key.id, overlap_seconds=60)
    assert [401, 200, 200] == [(await host.get("/api/v1/me", key)).status_code for key in (first, second, successor)]
    with refused(CONFLICT, "BI"):
        await keys.create(desk, host.owner, name="BI", integration_id=first.integration.id)


async def test_brand_without_modes_has_no_test_keys(host: Host, desk: Desk) -> None:
    made = await keys.create(desk, host.owner, name="BI")
    for doing in (
        keys.create(desk, host.owner, name="x", mode=Mode.TEST),
        keys.rotate_all(desk, host.owner, made.integration.id, Mode.TEST),
    ):
        with refused(INVALID_REQUEST, "test keys") as raised:
            await doing
        assert "mode" == raised.value.param


async def test_secret_is_in_no_word_about_its_key(host: Host, desk: Desk) -> None:
    made = await keys.create(desk, host.owner, name="BI")
    (listed,) = await keys.page(desk, host.owner, limit=10)
    for said in (repr(made), str(made.secret), repr(listed), f"{keys.shown(made.key)}"):
        assert made.secret.text not in said
    assert made.secret.text.startswith(made.key.prefix)
