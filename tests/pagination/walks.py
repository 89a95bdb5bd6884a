"""Walks through a list while others add to it, delete from it and change what is in it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

TIMES = ("created_at", "-created_at")
CHANGES = ("updated_at", "-updated_at")
NAMES = ("name", "-name")
LASTING = 6
FLEETING = 6


@dataclass
class Subject:
    """A list. `make` adds a thing of this name and gives its id, `end` takes one out; `change` alters one without renaming it."""

    path: str
    get: Callable[[str], Awaitable[httpx.Response]]
    make: Callable[[str], Awaitable[str]]
    end: Callable[[str], Awaitable[object]] | None = None
    change: Callable[[str], Awaitable[object]] | None = None
    orders: Sequence[str] = (*TIMES, *CHANGES, *NAMES)


@dataclass
class Walk:
    """One walk from the first page to the last. `lasting` are things that stay, `fleeting` those that may go meanwhile."""

    subject: Subject
    random: Random
    lasting: list[str] = field(default_factory=list)
    fleeting: list[str] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def prepare(self) -> None:
        """Fill the list."""
        for number in range(LASTING + FLEETING):
            made = await self.subject.make(f"{self.random.choice('abAB')} {number}")
            (self.fleeting if number % 2 else self.lasting).append(made)

    async def run(self, sort: str, *, changes: bool) -> list[str]:
        """Walk in an order while others work beside it, and return the ids in the order in which they were met."""
        url: str | None = f"{self.subject.path}sort={sort}&limit={self.random.randint(1, 5)}"
        self.seen = []
        while url is not None:
            answers = await asyncio.gather(self.subject.get(url), *(self._disturb(changes) for _ in range(self.random.randint(0, 2))))
            answer: Any = answers[0]
            assert 200 == answer.status_code, answer.text
            page = answer.json()
            self.seen += page["data"]
            url = page["next_url"]
            assert len(self.seen) < 1000, "the walk runs after what it meets"
        return [one["id"] for one in self.seen]

    async def _disturb(self, changes: bool) -> None:
        what = self.random.choice(["make", "end", "change"])
        if what == "change" and changes and self.subject.change is not None:
            await self.subject.change(self.random.choice(self.lasting))
        elif what == "end" and self.subject.end is not None and self.fleeting:
            await self.subject.end(self.fleeting.pop(self.random.randrange(len(self.fleeting))))
        else:
            self.fleeting.append(await self.subject.make(f"{self.random.choice('abAB')} more"))


async def hold_to_its_promises(subject: Subject, seed: int) -> None:
    """Hold a list to what it promises of a walk, in each of its orders."""
    walk = Walk(subject, Random(seed))
    await walk.prepare()
    for sort in subject.orders:
        ids = await walk.run(sort, changes=sort in TIMES or sort == "updated_at")
        assert set(walk.lasting) <= set(ids), f"{subject.path} {sort} misses what was there throughout"
        if sort == "updated_at":
            # What changes while it is walked is met again, with its new time.
            times = [(one["id"], one["updated_at"]) for one in walk.seen]
            assert len(times) == len(set(times)), f"{subject.path} {sort} repeats"
            assert [at for _, at in times] == sorted(at for _, at in times)
        else:
            assert len(ids) == len(set(ids)), f"{subject.path} {sort} repeats"
