"""What a host declares of its versions makes sense, or is refused; its changelog and its contract are made of the same modules."""

from pathlib import Path
from typing import Any

import pytest

from atrium.versions import ONBOARDINGS_HAVE_PHASES
from keyrack import Keyrack, Settings, VersionChange
from keyrack.docs.changelog import entries
from keyrack.testing.versions import check_versions
from tests.hosts import BRAND, CATEGORIES, living
from tests.versions import conftest
from tests.versions.conftest import CHANGES, FIRST, NEWEST, RENAMED, SPLIT

WORDS: dict[str, Any] = {"date": NEWEST, "title": "A change", "description": "It changes.", "operations": ["POST /api/v1/orders"]}


def rack_with(folder: Path, *changes: Any) -> Keyrack:
    """Return a rack whose API has changed so."""
    return Keyrack(Settings(data=folder), brand=BRAND, categories=CATEGORIES, versions=changes)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"date": "2026-6-1"}, "no date"),
        ({"date": "2026-02-30"}, "day is out of range"),
        ({"operations": ["orders"]}, "no operation"),
        ({"operations": [], "request": dict}, "names no operations"),
        ({"renames": {"a": "c", "b": "c"}}, "two things to one"),
        ({"objects": ["event"]}, "history"),
    ],
)
def test_change_that_contradicts_itself_cannot_be_made(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        VersionChange(**WORDS | words)


def test_change_on_or_before_the_first_version_stops_the_rack(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="first_version"):
        rack_with(tmp_path, VersionChange(**WORDS | {"date": "2026-01-01"}))


async def test_change_of_an_operation_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    rack = rack_with(tmp_path, VersionChange(**WORDS | {"operations": ["POST /api/v1/ordres"]}))
    app = conftest.build(rack, conftest.Seen())
    rack.install(app)
    with pytest.raises(RuntimeError, match="POST /api/v1/ordres"):
        async with living(app):
            pass


def test_host_without_changes_has_one_version(tmp_path: Path) -> None:
    assert ("2026-01-01",) == rack_with(tmp_path).versions.dates
    rack = Keyrack(Settings(data=tmp_path), brand=BRAND, first_version="2025-07-01")
    assert "2025-07-01" == rack.versions.newest


def test_changelog_tells_each_change_newest_first_with_what_it_looked_like(tmp_path: Path) -> None:
    told = entries(rack_with(tmp_path, *CHANGES).versions)
    assert [NEWEST, NEWEST, RENAMED, SPLIT, FIRST] == [entry.date for entry in told]
    split = told[3].markdown
    for words in ("`customer` | `person`", '"customer": "Ada Park"', '"first": "Ada"', "POST /api/v1/orders", "until 2027-01-01"):
        assert words in split
    assert "`GET /api/v1/old-orders` is deprecated" in told[0].markdown + told[1].markdown


@pytest.mark.parametrize("changes", [CHANGES, [ONBOARDINGS_HAVE_PHASES]])
def test_contract_holds_for_changes_that_are_right(tmp_path: Path, changes: list[Any]) -> None:
    check_versions(rack_with(tmp_path, *changes))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "has no example"),
        ({"request": dict}, "turns what is sent"),
        ({"response": dict, "request_examples": [({}, {})]}, "turns what is answered"),
        ({"renames": {"a": "b"}, "request_examples": [({"a": 1}, {"a": 1})]}, "does not hold"),
        ({"objects": ["order"], "response_examples": [({"object": "cat"}, {"object": "cat"})]}, "no object that it touches"),
        ({"request": lambda body: body | {"n": body["n"] + 1}, "request_examples": [({"n": 1}, {"n": 2})]}, "breaks on"),
    ],
)
def test_contract_catches_a_change_that_is_wrong(tmp_path: Path, words: dict[str, Any], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_versions(rack_with(tmp_path, VersionChange(**WORDS | words)))
