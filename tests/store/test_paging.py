"""Pages of a list in any order, both ways, make up the whole of it."""

from dataclasses import replace
from random import Random

import pytest

from keyrack.model.orders import Order, Place
from keyrack.model.workspaces import Workspace
from keyrack.store import integrations
from keyrack.store.database import Store
from tests.store.nouns import NOW, an_integration

NAMES = ("alpha", "Alpha", "ALPHA", "beta", "", " ", "%", "_", "'\"\\", "Ä", "ä", "ß", "\U0001f511" * 25, "a\u0301", "zz\nzz")


@pytest.mark.parametrize("column", ["created_at", "updated_at", "name"])
async def test_pages_in_any_order_make_up_the_whole_list(store: Store, acme: Workspace, other: Workspace, column: str) -> None:
    random = Random(column)
    async with store.changing() as c:
        for number in range(40):
            at = NOW + random.randrange(6)
            workspace = acme if number % 4 else other
            await integrations.add(
                c, an_integration(workspace.id, name=random.choice(NAMES), created_at=at, updated_at=at + random.randrange(6))
            )
    async with store.reading() as c:
        for order in (Order(column), Order(column, descending=True)):
            whole = await integrations.page(c, acme.id, limit=100, order=order)
            assert 30 == len(whole)
            if column != "name":
                by_time = sorted(whole, key=order.place, reverse=order.descending)
                assert by_time == whole
            for limit in (1, 3, 7):
                paged, after = [], None
                while found := await integrations.page(c, acme.id, limit=limit, order=order, after=after):
                    paged += found
                    after = order.place(found[-1])
                assert whole == paged
            back = await integrations.page(c, acme.id, limit=100, order=replace(order, descending=not order.descending))
            assert whole == back[::-1]


async def test_what_changed_since_a_moment_includes_that_moment(store: Store, acme: Workspace) -> None:
    made = [an_integration(acme.id, updated_at=NOW + number) for number in range(4)]
    async with store.changing() as c:
        for one in made:
            await integrations.add(c, one)
    async with store.reading() as c:
        for order in ("updated_at", "-updated_at", "created_at", "name"):
            found = await integrations.page(c, acme.id, limit=9, order=Order.read(order), updated_after=NOW + 2)
            assert {made[2].id, made[3].id} == {one.id for one in found}


async def test_place_in_an_order_stays_where_it_is_when_its_row_is_gone(store: Store, acme: Workspace) -> None:
    made = [an_integration(acme.id, name=name, created_at=NOW) for name in ("a", "B", "c")]
    async with store.changing() as c:
        for one in made:
            await integrations.add(c, one)
    place: Place = Order("name").place(made[1])
    async with store.changing() as c:
        await integrations.save(c, replace(made[1], deleted_at=NOW))
    async with store.reading() as c:
        assert [made[2]] == await integrations.page(c, acme.id, limit=9, order=Order("name"), after=place)
        assert [made[0]] == await integrations.page(c, acme.id, limit=9, order=Order("name", descending=True), after=place)


def test_order_is_written_as_it_is_read() -> None:
    for text in ("created_at", "-created_at", "name", "-name"):
        assert text == str(Order.read(text))
