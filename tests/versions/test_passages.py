"""There and back: through any chain of renamings, what was sent comes back as it was."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from keyrack import VersionChange
from keyrack.model.versions import Passage

NAMES = [f"field_{number}" for number in range(6)]
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))


def change(number: int, renamed: dict[str, str]) -> VersionChange:
    """Return a change that renames fields of thing."""
    renames = {name: f"{name}_since_{number}" for name in renamed}
    return VersionChange(
        date=f"2026-{number + 1:02}-01", title="", description="", operations=["POST /api/v1/things"], objects=["thing"], renames=renames
    )


@st.composite
def chains(draw: st.DrawFn) -> list[VersionChange]:
    """Return changes, each of which renames some of what the one before left."""
    present, changes = list(NAMES), []
    for number in range(draw(st.integers(0, 5))):
        renamed = draw(st.lists(st.sampled_from(present), unique=True))
        made = change(number, dict.fromkeys(renamed, ""))
        changes.append(made)
        present = [made.renames.get(name, name) for name in present]
    return changes


@given(chains(), st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_body_that_went_forward_comes_back_as_it_was(changes: list[VersionChange], sent: dict[str, Any]) -> None:
    passage = Passage("2026-01-01", changes, changes)
    thing = {"object": "thing", **sent}
    arrived = passage.body(dict(thing))
    assert thing == passage.answer(arrived)
    assert [thing] == passage.answer({"object": "list", "data": [arrived]})["data"]
    assert list(thing.values()) == list(arrived.values())
