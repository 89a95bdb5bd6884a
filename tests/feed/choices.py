"""A change for every choice of a kind, a number and a yes or no; None where there is nothing to change."""

from collections.abc import Callable, Iterable

from keyrack.model.permissions import Level
from tests.feed import changes
from tests.feed.changes import Change
from tests.feed.story import Story

KEYS_MAX, INTEGRATIONS_MAX, SPACES_MAX = 6, 3, 3
LEVELS = (Level.NONE, Level.READ, Level.WRITE)


def pick(names: Iterable[str], number: int) -> str:
    """One of these names, the oldest first."""
    found = list(names)
    return found[number % len(found)]


def chosen(story: Story, kind: str, number: int, yes: bool) -> Change | None:
    """The change that was chosen."""
    return _CHOICES[kind](story, number, yes)


def _key(story: Story, number: int) -> str:
    return pick(story.truth.keys, number)


def _integration(story: Story, number: int) -> str:
    return pick(story.truth.integrations, number)


def _space(story: Story, number: int) -> str:
    return pick(story.truth.spaces or ["s1"], number)


def _rotate(story: Story, number: int, yes: bool) -> Change | None:
    if len(story.truth.keys) >= KEYS_MAX:
        return None
    return changes.rotate(story.truth, _key(story, number), 60 if yes else 0, story.now, story.new_name("k"))


def _rotate_all(story: Story, number: int, _: bool) -> Change | None:
    if len(story.truth.keys) >= KEYS_MAX:
        return None
    return changes.rotate_all(story.truth, _integration(story, number), story.new_name("k"))


def _make_key(story: Story, number: int, yes: bool) -> Change | None:
    if len(story.truth.keys) >= KEYS_MAX:
        return None
    return changes.make_key(story.truth, story.new_name("k"), _integration(story, number), story.now + 1000 if yes else None)


def _make_integration(story: Story, number: int, _: bool) -> Change | None:
    if len(story.truth.integrations) >= INTEGRATIONS_MAX:
        return None
    return changes.make_integration(story.truth, story.new_name("i"), LEVELS[number % 3])


def _make_space(story: Story, _: int, __: bool) -> Change | None:
    return changes.make_space(story.truth, story.new_name("s")) if len(story.truth.spaces) < SPACES_MAX else None


_CHOICES: dict[str, Callable[[Story, int, bool], Change | None]] = {
    "revoke": lambda story, number, _: changes.revoke(story.truth, _key(story, number)),
    "switch": lambda story, number, yes: changes.switch(story.truth, _key(story, number), yes),
    "restrict": lambda story, number, yes: changes.restrict(story.truth, _key(story, number), yes),
    "expire": lambda story, number, yes: changes.expire(story.truth, _key(story, number), story.now + 1000 if yes else None),
    "rename": lambda story, number, _: changes.rename(story.truth, _key(story, number), story.new_name("renamed-")),
    "give": lambda story, number, yes: changes.give(story.truth, _integration(story, number), LEVELS[number % 3], everything=yes),
    "set_role": lambda story, number, yes: changes.set_role(story.truth, _integration(story, number), _space(story, number), yes),
    "delete_space": lambda story, number, _: changes.delete_space(story.truth, _space(story, number)),
    "switch_api": lambda story, _, yes: changes.switch_api(story.truth, yes),
    "set_plan": lambda story, _, yes: changes.set_plan(story.truth, yes),
    "delete_integration": lambda story, number, _: changes.delete_integration(story.truth, _integration(story, number)),
    "rotate": _rotate,
    "rotate_all": _rotate_all,
    "make_key": _make_key,
    "make_integration": _make_integration,
    "make_space": _make_space,
}
KINDS = tuple(_CHOICES)
