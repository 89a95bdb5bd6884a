"""A walk through a list of a host that follows Keyrack's rule keeps the same promises: Atrium's."""

from dataclasses import dataclass
from itertools import count

import pytest

from tests.atrium.conftest import host, served
from tests.atrium.host import Host
from tests.pagination.walks import CHANGES, NAMES, TIMES, Subject, hold_to_its_promises

__all__ = ["host", "served"]
NUMBERS = count()


@dataclass(frozen=True)
class Kind:
    """A kind of thing: where its list is, what its text is called, and a field of it that changes between values (`{}`: a number)."""

    path: str
    text: str = "name"
    field: str = "name"
    values: tuple[str, ...] = ("v{}",)


KINDS = {
    "customers": Kind("/customers", field="status", values=("lead", "active")),
    "contacts": Kind("/customers/{customer}/contacts", field="title"),
    "onboardings": Kind("/onboardings", field="state", values=("active", "paused")),
    "messages": Kind("/spaces/{space}/messages", "body", "body"),
    "items": Kind("/spaces/{space}/items", "title", "state", ("open", "done")),
}


async def subject(caller: Host, kind: Kind) -> Subject:
    """Return the list of a kind, in a new customer and a new space."""
    customer = (await caller.post("/customers", {"name": "Aurora"})).json()["id"]
    path = kind.path.format(customer=customer, space=await caller.create_space("Launch"))

    async def make(name: str) -> str:
        of = {"customer_id": customer} if path == "/onboardings" else {}
        answer = await caller.post(path, {kind.text: name, **of})
        assert 201 == answer.status_code, answer.text
        return str(answer.json()["id"])

    async def end(one: str) -> None:
        assert 204 == (await caller.delete(f"{path}/{one}")).status_code

    async def change(one: str) -> None:
        number = next(NUMBERS)
        value = kind.values[number % len(kind.values)].format(number)
        assert 200 == (await caller.patch(f"{path}/{one}", {kind.field: value})).status_code

    orders = (*TIMES, *CHANGES, *NAMES) if kind.text == "name" else (*TIMES, *CHANGES)
    return Subject(f"{path}?", caller.get, make, end, change, orders)


@pytest.mark.parametrize("noun", KINDS)
async def test_walk_neither_repeats_nor_misses_while_others_add_and_delete(host: Host, noun: str) -> None:
    await hold_to_its_promises(await subject(host, KINDS[noun]), seed=len(noun))
