"""Each mistake that the design excludes is found: by the shortest story that shows it, and by the search that finds none in the feed."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from keyrack.model.permissions import Level
from tests.feed import changes, planted
from tests.feed.processes import Parts, World
from tests.feed.story import Stale, Story
from tests.feed.test_never_stale import NeverStale


@dataclass(frozen=True)
class Planted:
    """A bug and the story that shows it. `rare`: the search takes a while to find it."""

    parts: Parts
    tell: Callable[[Story], None]
    rare: bool = False


def _store_after_an_eviction(story: Story) -> None:
    a, b = story.processes
    running = story.begin_look_up(a, "k1")
    story.query(a, running)
    story.change(b, changes.revoke(story.truth, "k1"))
    story.call(a, "k2")
    story.finish(a, running)
    story.call(a, "k1")


def _store_across_a_drop(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.switch(story.truth, "k1", enabled=False))
    story.save_copy()
    story.change(b, changes.switch(story.truth, "k1", enabled=True))
    running = story.begin_look_up(a, "k1")
    story.query(a, running)
    story.set_back()
    story.call(a, "k2")
    story.finish(a, running)
    story.call(a, "k1")


def _store_while_joining(story: Story) -> None:
    a, b = story.processes
    story.restart_while_the_changes_cannot_be_read(a, "k1")
    story.change(b, changes.revoke(story.truth, "k1"))
    story.call(a, "k1")


def _fail_to_apply(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.revoke(story.truth, "k1"))
    story.call_while_the_changes_cannot_be_read(a, "k2")
    story.call(a, "k1")


def _change_after_another(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.revoke(story.truth, "k1"))
    story.change(a, changes.rename(story.truth, "k2", "renamed"))
    story.call(a, "k1")


def _prune_what_was_not_read(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.revoke(story.truth, "k1"))
    story.prune(b, keep=0)
    story.call(a, "k1")


def _reach_the_same_count_anew(story: Story) -> None:
    a, b = story.processes
    story.save_copy()
    story.change(b, changes.rename(story.truth, "k2", "renamed"))
    story.call(a, "k1")
    story.set_back()
    story.change(b, changes.revoke(story.truth, "k1"))
    story.call(a, "k1")


def _commit_while_another_is_read(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.rename(story.truth, "k2", "renamed"))
    story.call_while_another_commits(a, "k2", lambda: story.change(b, changes.revoke(story.truth, "k1")))
    story.call(a, "k1")


def _call_beside_a_look_up(story: Story) -> None:
    a, b = story.processes
    running = story.begin_look_up(a, "k1")
    story.query(a, running)
    story.change(b, changes.revoke(story.truth, "k1"))
    story.call_beside(a, running)


def _let_time_pass(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.expire(story.truth, "k1", story.now + 1000))
    story.call(a, "k1")
    story.pass_time(1000)
    story.call(a, "k1")


def _switch_off(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.switch_api(story.truth, enabled=False))
    story.call(a, "k1")


def _take_rights(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.give(story.truth, "i1", Level.READ))
    story.call(a, "k1")


def _revoke(story: Story) -> None:
    a, b = story.processes
    story.change(b, changes.revoke(story.truth, "k1"))
    story.call(a, "k1")


BUGS = {
    "store a look-up after an eviction": Planted(Parts(cache=planted.StoresAfterEviction), _store_after_an_eviction, rare=True),
    "store a look-up across a drop": Planted(Parts(cache=planted.StoresAcrossDrops), _store_across_a_drop, rare=True),
    "store while joining": Planted(Parts(cache=planted.StoresWhileJoining, feed=planted.KeepsWhenJoining), _store_while_joining, rare=True),
    "read rights and revision in two snapshots": Planted(Parts(look_ups=planted.TwoSnapshots), _store_after_an_eviction, rare=True),
    "join a running look-up": Planted(Parts(look_ups=planted.JoinsRunning), _call_beside_a_look_up, rare=True),
    "advance before evicting": Planted(Parts(feed=planted.AdvancesBeforeEvicting), _fail_to_apply, rare=True),
    "remember the version though the apply failed": Planted(Parts(feed=planted.RemembersThoughApplyFailed), _fail_to_apply, rare=True),
    "advance past another's change": Planted(Parts(feed=planted.SkipsToOwnRevision), _change_after_another, rare=True),
    "keep the cache on a gap": Planted(Parts(feed=planted.KeepsOnGap), _prune_what_was_not_read, rare=True),
    "trust the count of a file that was set back": Planted(Parts(feed=planted.TrustsTheCount), _reach_the_same_count_anew, rare=True),
    "remember a header read after the rows": Planted(Parts(feed=planted.RemembersALaterHeader), _commit_while_another_is_read, rare=True),
    "hold on to a snapshot": Planted(Parts(feed=planted.HoldsItsSnapshot), _revoke),
    "compare the expiry only when caching": Planted(Parts(look_ups=planted.ForgetsToExpire), _let_time_pass),
    "forget the workspace's id": Planted(Parts(look_ups=planted.ForgetsWorkspace), _switch_off, rare=True),
    "forget the integration's id": Planted(Parts(look_ups=planted.ForgetsIntegration), _take_rights, rare=True),
    "forget the key's id": Planted(Parts(look_ups=planted.ForgetsKey), _revoke),
}
each_bug = pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)


@each_bug
def test_its_story_shows_a_planted_bug(world: World, bug: Planted) -> None:
    story = Story(world, bug.parts)
    try:
        with pytest.raises(Stale):
            bug.tell(story)
    finally:
        story.close()


@each_bug
def test_the_real_feed_holds_where_a_bug_would_show(world: World, bug: Planted) -> None:
    story = Story(world, Parts())
    try:
        bug.tell(story)
    finally:
        story.close()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("bug", [pytest.param(bug, marks=[pytest.mark.fuzz] * bug.rare) for bug in BUGS.values()], ids=BUGS)
def test_the_search_finds_a_planted_bug(world: World, bug: Planted) -> None:
    class Searched(NeverStale):
        parts = bug.parts

    Searched.world = world
    search = settings(
        max_examples=1000, stateful_step_count=20, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    with pytest.raises(Stale):
        run_state_machine_as_test(Searched, settings=search)
