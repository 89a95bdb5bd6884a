"""A walk through a list of the management API never repeats a row and never misses one that was there throughout, whoever works beside."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import httpx
import pytest

from keyrack.manage.keys import Issued
from tests.hosts import Host
from tests.pagination.walks import TIMES, Subject, hold_to_its_promises

NUMBERS = count()


class Lists:
    """The lists of one workspace, through its API. Time passes between some calls, and not between others."""

    def __init__(self, host: Host, admin: Issued) -> None:
        self._host = host
        self._admin = admin

    def __getitem__(self, noun: str) -> Subject:
        """Return a list by its noun."""
        end, change = self._call("DELETE", noun), self._call("PATCH", noun)
        if noun == "members":
            return Subject("/api/v1/members?", self._get, self._add_member, end, lambda one: change(one, {"partner": f"p{next(NUMBERS)}"}))
        if noun == "invitations":
            return Subject("/api/v1/invitations?open=true&", self._get, self._invite, end, None, TIMES)
        if noun == "events":
            return Subject("/api/v1/events?", self._get, self._cause_event, None, None, TIMES)
        make = self._maker(noun)
        if noun == "keys":
            return Subject("/api/v1/keys?", self._get, make, end, lambda one: change(one, {"enabled": bool(next(NUMBERS) % 2)}))
        if noun == "spaces":
            # A space has nothing but its name.
            return Subject("/api/v1/spaces?", self._get, make, end)
        levels = [{"permissions": {"customers": level}} for level in ("read", "write")]
        return Subject("/api/v1/integrations?", self._get, make, end, lambda one: change(one, levels[next(NUMBERS) % 2]))

    async def _send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        self._host.clock.pass_seconds(next(NUMBERS) % 3 / 1000)
        answer = await self._host.send(method, path, self._admin, json=body)
        assert answer.is_success, answer.text
        return answer

    async def _get(self, path: str) -> httpx.Response:
        return await self._send("GET", path)

    def _call(self, method: str, noun: str) -> Callable[..., Awaitable[object]]:
        async def call(one: str, body: Any = None) -> object:
            return await self._send(method, f"/api/v1/{noun}/{one}", body)

        return call

    def _maker(self, noun: str) -> Callable[[str], Awaitable[str]]:
        async def make(name: str) -> str:
            return str((await self._send("POST", f"/api/v1/{noun}", {"name": name})).json()["id"])

        return make

    async def _add_member(self, name: str) -> str:
        return (await self._host.rack.members.add(self._host.workspace.id, email=f"{next(NUMBERS)}@acme.test", name=name)).id

    async def _invite(self, _name: str) -> str:
        return str((await self._send("POST", "/api/v1/invitations", {"email": f"{next(NUMBERS)}@acme.test"})).json()["id"])

    async def _cause_event(self, name: str) -> str:
        made = await self._maker("integrations")(name)
        (event,) = (await self._get(f"/api/v1/events?object_id={made}")).json()["data"]
        return str(event["id"])


@pytest.mark.parametrize("noun", ["integrations", "keys", "members", "spaces", "invitations", "events"])
async def test_walk_neither_repeats_nor_misses_while_others_add_and_delete(host: Host, admin: Issued, noun: str) -> None:
    await hold_to_its_promises(Lists(host, admin)[noun], seed=len(noun))
