"""What look-ups decide, and what they leave in memory."""

from collections.abc import Iterator

import pytest

from keyrack.crypto.format import mint
from keyrack.model.permissions import Level
from tests.feed import changes
from tests.feed.processes import Parts, Running, World
from tests.feed.story import Story
from tests.feed.truth import REFUSED

HOUR = 3_600_000


@pytest.fixture
def story(world: World) -> Iterator[Story]:
    """A story in which nothing has happened yet."""
    story = Story(world, Parts())
    yield story
    story.close()


@pytest.mark.parametrize("overlap_seconds", [None, 0])
def test_a_key_that_was_ended_stays_so_when_the_clock_is_set_back(story: Story, overlap_seconds: int | None) -> None:
    a, b = story.processes
    if overlap_seconds is None:
        story.change(b, changes.revoke(story.truth, "k1"))
    else:
        story.change(b, changes.rotate(story.truth, "k1", overlap_seconds, story.now, "k3"))
    story.pass_time(-HOUR)
    secret = story.truth.keys["k1"].secret
    assert a.run(a.decide_by_look_up(secret)) == REFUSED
    assert a.run(a.decide(secret)) == REFUSED


def test_an_overlap_ends_by_the_clock_of_each_call(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.rotate(story.truth, "k1", 60, story.now, "k3"))
    story.call(a, "k1")
    story.pass_time(59_999)
    story.call(a, "k1")
    story.pass_time(1)
    story.call(a, "k1")
    assert a.run(a.decide(story.truth.keys["k1"].secret)) == REFUSED


def test_an_entry_carries_every_space_that_a_wildcard_reaches(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.give(story.truth, "i1", Level.WRITE, everything=True))
    story.call(a, "k1")
    entries = [entry for entry in a.cache.entries.values() if entry.credential_id == story.truth.keys["k1"].id]
    assert entries[0].derived_from >= set(story.truth.spaces.values())


def test_unknown_credentials_are_never_kept(story: Story) -> None:
    a = story.processes[0]
    before = dict(a.cache.entries)
    for _ in range(20):
        assert a.run(a.decide(mint("acme").text)) == REFUSED
    assert a.cache.entries == before


def test_a_look_up_that_reads_less_than_was_applied_decides_nothing(story: Story) -> None:
    a, b = story.processes
    story.save_copy()
    story.change(b, changes.rename(story.truth, "k2", "renamed"))
    running: Running = story.begin_look_up(a, "k1")
    story.set_back()
    assert a.run(a.finish(running)) is None
    story.call(a, "k1")
