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
    """A key that goes on, if there is one: to end what has ended is done by `revoke` alone."""
    truth = story.truth
    lasting = [name for name, key in truth.keys.items() if not key.ended and not truth.integrations[key.integration].deleted]
    return pick(lasting or truth.keys, number)


def _integration(story: Story, number: int) -> str:
    lasting = [name for name, integration in story.truth.integrations.items() if not integration.deleted]
    return pick(lasting or story.truth.integrations, number)


def _space(story: Story, number: int) -> str:
    return pick(story.truth.spaces or ["s1"], number)


def _more_keys(story: Story) -> bool:
    """Whether there may be another key: a plan without the API has none made, and refuses to rotate one."""
    return len(story.truth.keys) < KEYS_MAX and story.truth.plan_has_api


def _rotate(story: Story, number: int, yes: bool) -> Change | None:
    if not _more_keys(story):
        return None
    return changes.rotate(story.truth, _key(story, number), 60 if yes else 0, story.now, story.new_name("k"))


def _rotate_all(story: Story, number: int, _: bool) -> Change | None:
    if not _more_keys(story):
        return None
    return changes.rotate_all(story.truth, _integration(story, number), story.new_name("k"))


def _make_key(story: Story, number: int, yes: bool) -> Change | None:
    if not _more_keys(story):
        return None
    return changes.make_key(story.truth, story.new_name("k"), _integration(story, number), story.now + 1000 if yes else None)


def _make_integration(story: Story, number: int, _: bool) -> Change | None:
    if len(story.truth.integrations) >= INTEGRATIONS_MAX:
        return None
    return changes.make_integration(story.truth, story.new_name("i"), LEVELS[number % 3])


def _make_space(story: Story, _: int, __: bool) -> Change | None:
    return changes.make_space(story.truth, story.new_name("s")) if len(story.truth.spaces) < SPACES_MAX else None


def _delete_integration(story: Story, number: int, _: bool) -> Change | None:
    lasting = [integration for integration in story.truth.integrations.values() if not integration.deleted]
    return changes.delete_integration(story.truth, _integration(story, number)) if len(lasting) > 1 else None


_CHOICES: dict[str, Callable[[Story, int, bool], Change | None]] = {
    "revoke": lambda story, number, yes: changes.revoke(story.truth, _key(story, number) if yes else pick(story.truth.keys, number)),
    "switch": lambda story, number, yes: changes.switch(story.truth, _key(story, number), yes),
    "restrict": lambda story, number, yes: changes.restrict(story.truth, _key(story, number), yes),
    "expire": lambda story, number, yes: changes.expire(story.truth, _key(story, number), story.now + 1000 if yes else None),
    "rename": lambda story, number, _: changes.rename(story.truth, _key(story, number), story.new_name("renamed-")),
    "give": lambda story, number, yes: changes.give(story.truth, _integration(story, number), LEVELS[number % 3], everything=yes),
    "set_role": lambda story, number, yes: changes.set_role(story.truth, _integration(story, number), _space(story, number), yes),
    "delete_space": lambda story, number, _: changes.delete_space(story.truth, _space(story, number)),
    "switch_api": lambda story, _, yes: changes.switch_api(story.truth, yes),
    "set_plan": lambda story, _, yes: changes.set_plan(story.truth, yes),
    "delete_integration": _delete_integration,
    "rotate": _rotate,
    "rotate_all": _rotate_all,
    "make_key": _make_key,
    "make_integration": _make_integration,
    "make_space": _make_space,
}
# What leaves the keys at work is chosen more often, so that there is something to be stale about.
KINDS = (*_CHOICES, "give", "give", "switch", "restrict", "set_role", "rename", "make_key")
