"""The contract of a host's change modules: their own examples hold, and they break on nothing that a caller can send."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from keyrack.model.refusals import Refused
from keyrack.model.versions import Shape, VersionChange
from keyrack.server import Keyrack

ODD_VALUES: tuple[Any, ...] = (None, True, -1, 0.5, "", "x", [], [None], {}, {"object": None})
"""What stands in fields that callers fill as they like."""


def check_versions(rack: Keyrack) -> None:
    """Raise AssertionError where a change contradicts itself: for a test of the host's.

    Each change has an example of all that it turns, and they hold: forward for what is sent, backward for what is answered. `request` takes
    any JSON object, or refuses it with a Refused; what it takes it turns alike each time.
    """
    for change in rack.versions.changes:
        _check_examples(change)
        if change.operations:
            _check_odd_bodies(change)


def _check_examples(change: VersionChange) -> None:
    has_request, has_response = change.request is not None, change.response is not None or bool(change.objects)
    assert change.request_examples or not has_request, f"{change.title!r} turns what is sent, and has no example of it"
    assert change.response_examples or not has_response, f"{change.title!r} turns what is answered, and has no example of it"
    assert change.request_examples or change.response_examples, f"{change.title!r} has no example"
    for before, after in change.request_examples:
        _check_turn(change, change.upgrade(deepcopy(before)), after)
    for before, after in change.response_examples:
        is_touched = not change.objects or after.get("object") in change.objects
        assert is_touched, f"an example of {change.title!r} is no object that it touches: {after}"
        _check_turn(change, change.downgrade(deepcopy(after)), before)


def _check_turn(change: VersionChange, found: Shape, expected: Shape) -> None:
    assert found == expected, f"an example of {change.title!r} does not hold: it gives {found}, and says {expected}"


def _check_odd_bodies(change: VersionChange) -> None:
    for body in _odd_bodies(change):
        try:
            first, second = change.upgrade(deepcopy(body)), change.upgrade(deepcopy(body))
        except Refused:
            continue
        except Exception as error:
            raise AssertionError(f"{change.title!r} breaks on {body}: {type(error).__name__}: {error}") from error
        assert first == second, f"{change.title!r} turns {body} into another thing each time"


def _odd_bodies(change: VersionChange) -> Iterable[Shape]:
    sent = [before for before, _ in change.request_examples]
    names = {name for body in sent for name in body} | set(change.renames)
    yield {}
    for body in sent or [{}]:
        for name in sorted(names):
            yield {other: value for other, value in body.items() if other != name}
            for odd in ODD_VALUES:
                yield body | {name: deepcopy(odd)}
