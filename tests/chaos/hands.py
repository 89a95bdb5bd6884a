"""Those who change keys and call with them: as many pairs of hands as changes may be under way at once."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from itertools import count
from random import Random
from time import monotonic
from typing import Any

from keyrack import Keyrack
from keyrack.manage import keys
from keyrack.model.refusals import Refused
from tests.chaos.history import UNAVAILABLE, Call, Change, History, Key
from tests.chaos.nodes import Answer, Node
from tests.hosts import ADMIN_RIGHTS

OPERATOR = -1
CALLING_MAX = 24
CHECK_SECONDS_MAX = 3.0
PAUSE_SECONDS = 0.2
RACE_SECONDS_MAX = 0.01
BESIDE_SECONDS_MAX = 0.5
FAULTY_CHOSEN = 0.05
CUSTOMERS = "/api/v1/customers"
LEVELS: dict[str, dict[str, str]] = {"none": {}, "read": {"customers": "read"}, "write": {"customers": "write"}}
_numbers = count()


@dataclass
class Site:
    """What the hands work on. `faulty` are the nodes that something is done to.

    At the moment `hands_max` hands work, and each rests for about `pause_seconds` after a change.
    """

    nodes: list[Node]
    operator: Keyrack
    history: History
    random: Random
    hands_max: int
    pause_seconds: float
    faulty: set[int] = field(default_factory=set)
    is_over: bool = False
    calling: set[asyncio.Task[None]] = field(default_factory=set)

    def node(self) -> Node:
        """A node for a change: seldom a faulty one, else soon all hands would wait there."""
        well = [node for node in self.nodes if node.number not in self.faulty]
        return self.random.choice(self.nodes if not well or self.random.random() < FAULTY_CHOSEN else well)


@dataclass
class Workspace:
    """A workspace, and the key that manages it."""

    id: str
    secret: str


class Retired(Exception):
    """Nobody can tell how a key stands: begin with another one."""


class Hands:
    """One pair of hands: it makes keys, and changes one of them at a time. Alone in its workspace it also switches the API off and on."""

    def __init__(self, number: int, site: Site, shared: Workspace | None) -> None:
        self._number = number
        self._site = site
        self._random = site.random
        self._workspace = shared
        self._is_alone = shared is None

    async def work(self) -> None:
        """Work until all is over."""
        site = self._site
        while not site.is_over:
            if self._number >= site.hands_max:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            try:
                if self._workspace is None:
                    self._workspace = await new_workspace(site.operator)
                await self._live(await self._new_key(self._workspace))
            except (Refused, Retired):
                if self._is_alone:
                    self._workspace = None
                await asyncio.sleep(PAUSE_SECONDS)

    async def _live(self, key: Key) -> None:
        """The life of a key: changes, and calls before, beside and after each of them."""
        await self._call(key, self._site.nodes)
        for _ in range(self._random.randint(2, 8)):
            if self._site.is_over or self._number >= self._site.hands_max:
                break
            key = await self._step(key)
            if any(right.is_ended for right in key.rights):
                return
            await asyncio.sleep(self._random.uniform(0, 2 * self._site.pause_seconds))
        if not all(right.is_api_on for right in key.rights):
            await self._switch_on(key)
        await self._end(key)

    async def _step(self, key: Key) -> Key:
        (right,) = key.rights
        if not right.is_api_on:
            await self._switch_on(key)
            return key
        choices: list[Callable[[Key], Awaitable[Key]]] = [self._edit, self._edit, self._toggle, self._rotate]
        if self._is_alone:
            choices.append(self._switch_off)
        return await self._random.choice(choices)(key)

    async def _edit(self, key: Key) -> Key:
        (right,) = key.rights
        level = self._random.choice([level for level in LEVELS if level != right.level])
        path = f"/integrations/{key.integration_id}"
        await self._change(key, "edit", "PATCH", path, {"permissions": LEVELS[level]}, level=level)
        return key

    async def _toggle(self, key: Key) -> Key:
        (right,) = key.rights
        enabled = not right.is_enabled
        kind = "enable" if enabled else "disable"
        await self._change(key, kind, "PATCH", f"/keys/{key.id}", {"enabled": enabled}, is_enabled=enabled)
        return key

    async def _rotate(self, key: Key) -> Key:
        (right,) = key.rights
        if not right.is_enabled:
            return await self._toggle(key)
        answer = await self._change(key, "rotate", "POST", f"/keys/{key.id}/rotate", {"overlap_seconds": 0}, is_ended=True)
        if answer is None:
            return key
        successor = Key(answer.body["id"], answer.body["secret"], key.integration_id, frozenset({right}))
        await self._call(successor, self._site.nodes)
        return successor

    async def _switch_off(self, key: Key) -> Key:
        await self._change(key, "switch off", "PATCH", "/workspace", {"api_enabled": False}, is_api_on=False)
        return key

    async def _switch_on(self, key: Key) -> None:
        """Only a person switches the API on: the operator, in a process that holds no lease."""
        assert self._workspace is not None
        change = key.begin("switch on", OPERATOR, monotonic(), is_api_on=True)
        try:
            await self._site.operator.workspaces.switch_api(self._workspace.id, enabled=True)
        except Refused as refused:
            key.finish(change, monotonic(), "nothing" if refused.refusal.code == "store_unavailable" else "unknown")
            self._judge(change, None)
            raise Retired from refused
        key.finish(change, monotonic(), "done")
        self._judge(change, None)
        await self._call(key, self._site.nodes)

    async def _end(self, key: Key) -> None:
        """Revoke a key, again and again until that is certain; at times by two at once, of whom each may say first that it is done."""
        site = self._site
        while True:
            nodes = [site.node() for _ in range(self._random.choice((1, 1, 2)))]
            change = key.begin("revoke", nodes[0].number, monotonic(), is_ended=True)
            beside = self._spawn(self._beside(key, change))
            revoking = [asyncio.create_task(self._revoke_at(key, node)) for node in nodes]
            outcomes = set()
            for ended in asyncio.as_completed(revoking):
                outcomes.add(outcome := await ended)
                if outcome == "done" and change.outcome == "running":
                    key.finish(change, monotonic(), "done")
                    await self._check(key)
            if change.outcome == "done":
                return
            key.finish(change, monotonic(), "unknown" if "unknown" in outcomes else "nothing")
            beside.cancel()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _revoke_at(self, key: Key, node: Node) -> str:
        change = Change("revoke", node.number, monotonic(), key.rights)
        answer = await self._manage(node, "DELETE", f"/keys/{key.id}")
        self._judge(change, answer)
        return change.outcome

    async def _change(self, key: Key, kind: str, method: str, path: str, body: Any, **fields: Any) -> Answer | None:
        """Make a change, with calls beside it and after it. None: nothing has changed. Raises Retired where nobody can tell."""
        node = self._site.node()
        change = key.begin(kind, node.number, monotonic(), **fields)
        self._spawn(self._beside(key, change))
        answer = await self._manage(node, method, path, body)
        key.finish(change, monotonic(), _outcome(answer))
        self._judge(change, answer)
        if change.outcome == "unknown":
            if kind != "switch off":
                # It may still happen, later than whatever is done now; but an end is an end.
                await self._end(key)
            raise Retired
        await self._check(key)
        return answer if change.outcome == "done" else None

    def _judge(self, change: Change, answer: Answer | None) -> None:
        history = self._site.history
        if change.outcome == "running":
            change.ended, change.outcome = monotonic(), _outcome(answer)
        history.judge_change(change, _said(answer))

    async def _new_key(self, workspace: Workspace) -> Key:
        made = await self._manage(self._site.node(), "POST", "/keys", {"name": f"key-{next(_numbers)}", "permissions": LEVELS["write"]})
        if made is None or made.status != 201:
            raise Retired
        return Key(made.body["id"], made.body["secret"], made.body["integration_id"])

    async def _manage(self, node: Node, method: str, path: str, body: Any = None) -> Answer | None:
        assert self._workspace is not None
        return await node.send(method, f"/api/v1{path}", self._workspace.secret, body)

    async def _check(self, key: Key) -> None:
        """Call at once, at all nodes or at some, so that the others must look the key up beside the next change."""
        nodes = self._site.nodes
        await self._call(key, nodes if self._random.random() < 0.6 else self._random.sample(nodes, 2))

    async def _beside(self, key: Key, change: Change) -> None:
        """Call while a change is under way."""
        await asyncio.sleep(self._random.uniform(0, RACE_SECONDS_MAX))
        count, pause_seconds = 2, RACE_SECONDS_MAX
        while change.outcome == "running":
            self._begin_calls(key, self._random.sample(self._site.nodes, count))
            count, pause_seconds = 1, min(2 * pause_seconds, BESIDE_SECONDS_MAX)
            await asyncio.sleep(self._random.uniform(0, 2 * pause_seconds))

    async def _call(self, key: Key, nodes: list[Node]) -> None:
        """Call nodes, and wait for the answers of those that are well."""
        well = [task for node, task in self._begin_calls(key, nodes) if node.number not in self._site.faulty]
        if well:
            await asyncio.wait(well, timeout=CHECK_SECONDS_MAX)

    def _begin_calls(self, key: Key, nodes: list[Node]) -> list[tuple[Node, asyncio.Task[None]]]:
        return [(node, self._spawn(self._one_call(key, node))) for node in nodes if node.calling < CALLING_MAX]

    async def _one_call(self, key: Key, node: Node) -> None:
        method = self._random.choice(("GET", "POST"))
        node.calling += 1
        began = monotonic()
        is_cold = key.ask(node.number, began)
        answer = await node.send(method, CUSTOMERS, key.secret, {"name": "Acme"} if method == "POST" else None)
        ended = monotonic()
        node.calling -= 1
        if answer is not None:
            key.ask(node.number, ended)
            self._site.history.judge_call(key, Call(node.number, method, began, ended, answer.status, answer.code, _said(answer), is_cold))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._site.calling.add(task)
        task.add_done_callback(self._site.calling.discard)
        return task


async def new_workspace(operator: Keyrack) -> Workspace:
    """Make a workspace, and a key that manages it. Raises Refused."""
    workspace = await operator.workspaces.create("Acme", slug=f"acme-{next(_numbers)}")
    owner = await operator.workspaces.operator(workspace.id)
    admin = await keys.create(operator.assembly.desk, owner, name="admin", rights=ADMIN_RIGHTS)
    return Workspace(workspace.id, admin.secret.text)


def _said(answer: Answer | None) -> str:
    refused = answer.body if answer is not None and answer.status >= 400 else None
    return f"{refused.get('code')}: {refused.get('detail')}" if isinstance(refused, dict) else ""


def _outcome(answer: Answer | None) -> str:
    if answer is None or answer.code == "outcome_unknown":
        return "unknown"
    if answer.status == UNAVAILABLE:
        return "nothing"
    return "done" if answer.status < 300 else "refused"
