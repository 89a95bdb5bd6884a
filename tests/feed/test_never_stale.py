"""A call whose head arrives after a change has returned is never decided on what held before: whatever happens, in whatever order.

`make fuzz` looks for minutes instead of seconds, with `ARGS=--hypothesis-profile=long` for hours.
"""

from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, multiple, rule, run_state_machine_as_test

from tests.feed.choices import KINDS, chosen, pick
from tests.feed.processes import Parts, Process, Running, World
from tests.feed.story import Story

# A look-up that is held up keeps one of the store's few readers.
RUNNING_MAX = 1
SHORT_EXAMPLES, LONG_EXAMPLES = 25, 1000
sides = st.integers(0, 1)
numbers = st.integers(0, 3)
kinds = st.sampled_from(KINDS)


class NeverStale(RuleBasedStateMachine):
    """Tells stories. Two processes share a file; `parts` are what they are made of."""

    world: ClassVar[World]
    parts: ClassVar[Parts] = Parts()
    running = Bundle("running")

    def __init__(self) -> None:
        super().__init__()
        self.story = Story(self.world, self.parts)
        self.looking = [0, 0]

    def teardown(self) -> None:
        """Let go of everything."""
        self.story.close()

    @rule(side=sides, number=numbers)
    def call(self, side: int, number: int) -> None:
        """A call is decided."""
        self.story.call(self.process(side), self.key(number))

    @rule(side=sides)
    def call_with_every_key(self, side: int) -> None:
        """Calls with all keys are decided, one after the other."""
        for key in list(self.story.truth.keys):
            self.story.call(self.process(side), key)

    @rule(side=sides, number=numbers)
    def call_in_thread(self, side: int, number: int) -> None:
        """A call is decided in another thread of the process."""
        self.story.call_in_thread(self.process(side), self.key(number))

    @rule(side=sides, number=numbers, kind=kinds, yes=st.booleans())
    def call_while_a_change_cannot_be_read(self, side: int, number: int, kind: str, yes: bool) -> None:
        """Something is changed, a call with another key is decided while an apply fails, and then calls with all keys."""
        self.change(1 - side, kind, number, yes)
        self.story.call_while_the_changes_cannot_be_read(self.process(side), self.key(number + 1))
        self.call_with_every_key(side)

    @rule(side=sides, number=numbers, kind=kinds, yes=st.booleans(), one_task=st.booleans())
    def call_twice(self, side: int, number: int, kind: str, yes: bool, one_task: bool) -> None:
        """Two calls, and between them a change by the other process; in one task, or in one turn of the loop."""
        call = self.story.call_twice_in_one_task if one_task else self.story.call_twice_in_one_turn
        call(self.process(side), self.key(number), lambda: self.change(1 - side, kind, number, yes))

    @rule(side=sides, number=numbers, kind=kinds, yes=st.booleans())
    def call_while_another_commits(self, side: int, number: int, kind: str, yes: bool) -> None:
        """A call is decided, and between what its process reads the other one commits."""
        self.write(1 - side)
        self.story.call_while_another_commits(self.process(side), self.key(number), lambda: self.change(1 - side, kind, number, yes))
        self.call_with_every_key(side)

    @rule(target=running, side=sides, number=numbers)
    def begin_look_up(self, side: int, number: int) -> object:
        """A call arrives and finds nothing in memory."""
        if self.looking[side] == RUNNING_MAX:
            return multiple()
        self.looking[side] += 1
        return side, self.story.begin_look_up(self.process(side), self.key(number))

    @rule(one=running)
    def query(self, one: tuple[int, Running]) -> None:
        """Its look-up reads the store."""
        side, running = one
        if not running.before.opened.is_set():
            self.story.query(self.process(side), running)

    @rule(one=consumes(running))
    def finish(self, one: tuple[int, Running]) -> None:
        """Its look-up ends."""
        side, running = one
        self.looking[side] -= 1
        self.story.finish(self.process(side), running)

    @rule(one=consumes(running))
    def call_beside(self, one: tuple[int, Running]) -> None:
        """Another call with the same key arrives, and then its look-up ends."""
        side, running = one
        self.looking[side] -= 1
        self.story.call_beside(self.process(side), running)

    @rule(side=sides, number=numbers, kind=kinds, yes=st.booleans(), query_first=st.booleans(), calls=st.booleans())
    def look_up_around_a_change(self, side: int, number: int, kind: str, yes: bool, query_first: bool, calls: bool) -> None:
        """A look-up begins, the other process changes something, perhaps calls arrive, and the look-up ends."""
        process = self.process(side)
        running = self.story.begin_look_up(process, self.key(number))
        if query_first:
            self.story.query(process, running)
        self.change(1 - side, kind, number, yes)
        if calls:
            self.story.call_beside(process, running)
        else:
            self.story.call(process, self.key(number + 1))
            self.story.finish(process, running)
        self.call_with_every_key(side)

    @rule(side=sides, kind=kinds, number=numbers, yes=st.booleans())
    def change(self, side: int, kind: str, number: int, yes: bool) -> None:
        """Something is changed."""
        self.story.change(self.process(side), chosen(self.story, kind, number, yes))

    @rule(side=sides, kind=kinds, number=numbers, yes=st.booleans())
    def hold(self, side: int, kind: str, number: int, yes: bool) -> None:
        """Something is changed, and its change does not return yet."""
        self.story.hold(self.process(side), chosen(self.story, kind, number, yes))

    @rule(side=sides)
    def let_return(self, side: int) -> None:
        """A change returns that was held up."""
        self.story.let_return(self.process(side))

    @rule(milliseconds=st.sampled_from([1, 1000, 60_000]))
    def pass_time(self, milliseconds: int) -> None:
        """Time passes."""
        self.story.pass_time(milliseconds)

    @rule(side=sides, number=numbers, overlap=st.booleans())
    def let_a_key_run_out(self, side: int, number: int, overlap: bool) -> None:
        """A key gets an expiry, or a successor; calls are decided before and after its time."""
        kind, milliseconds = ("rotate", 60_000) if overlap else ("expire", 1000)
        self.change(side, kind, number, yes=True)
        self.call_with_every_key(side)
        self.pass_time(milliseconds)
        self.call_with_every_key(side)

    @rule(side=sides)
    def write(self, side: int) -> None:
        """Something is written that no cache can hold."""
        self.story.write(self.process(side))

    @rule(side=sides, keep=st.integers(0, 2))
    def prune(self, side: int, keep: int) -> None:
        """It is forgotten which ids old changes touched."""
        self.story.prune(self.process(side), keep)

    @rule()
    def save_copy(self) -> None:
        """A backup is made."""
        self.story.save_copy()

    @rule()
    def set_back(self) -> None:
        """The file is set back to the backup."""
        self.story.set_back()

    @rule(side=sides, kinds=st.lists(kinds, min_size=2, max_size=2), number=numbers, yes=st.booleans(), looking=st.booleans())
    def set_back_around_changes(self, side: int, kinds: list[str], number: int, yes: bool, looking: bool) -> None:
        """A backup is made; something is changed, and all see it; the file is set back, under a look-up, or something else is changed."""
        self.save_copy()
        self.change(side, kinds[0], number, yes)
        self.call_with_every_key(0)
        self.call_with_every_key(1)
        if looking:
            process, running = self.process(side), self.story.begin_look_up(self.process(side), self.key(number))
            self.story.query(process, running)
            self.set_back()
            self.story.call(process, self.key(number + 1))
            self.story.finish(process, running)
            self.call_with_every_key(side)
        else:
            self.set_back()
            self.change(1 - side, kinds[1], number, yes)

    @rule(side=sides, number=numbers)
    def restart_while_the_changes_cannot_be_read(self, side: int, number: int) -> None:
        """A process begins anew, and decides a call before it has joined."""
        self.story.let_return(self.process(side))
        self.story.restart_while_the_changes_cannot_be_read(self.process(side), self.key(number))

    def process(self, side: int) -> Process:
        """One of the two."""
        return self.story.processes[side]

    def key(self, number: int) -> str:
        """One of the keys that there are now."""
        return pick(self.story.truth.keys, number)


@pytest.mark.timeout(600)
def test_no_call_is_ever_decided_on_what_held_before(world: World) -> None:
    NeverStale.world = world
    run_state_machine_as_test(NeverStale, settings=settings(max_examples=SHORT_EXAMPLES))


@pytest.mark.fuzz
@pytest.mark.timeout(24 * 3600)
def test_nor_is_any_in_a_long_search(world: World) -> None:
    NeverStale.world = world
    run_state_machine_as_test(NeverStale, settings=settings(max_examples=max(LONG_EXAMPLES, settings().max_examples)))
