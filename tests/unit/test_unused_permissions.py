"""What is taken as unused was used by nobody: with what is left, every operation that was used is still allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrack.model.permissions import ALL, Level, Need, OrgAccess, Rights, SpaceRole, compile_rights, need
from keyrack.model.unused_permissions import ORG_ACCESS, PERMISSIONS, in_words, unused
from tests.unit.test_permissions import CATEGORIES, INSIDE, OUTSIDE, SPACES, rights

PARTS = (ORG_ACCESS, PERMISSIONS)
NEEDS = [
    *(need(word, CATEGORIES) for word in ("any", "full_write", "org_admin")),
    *(need(f"{name}:{word}", CATEGORIES) for name in OUTSIDE for word in ("read", "write")),
    *(need(f"{name}:{word}", CATEGORIES, "path:space_id") for name in INSIDE for word in ("read", "write")),
]


def allowed(held: Rights, wanted: Need) -> set[str]:
    """Where an operation is allowed: in these spaces, or outside them (an empty id)."""
    masks = compile_rights(held, CATEGORIES, SPACES if held.has_all else ())
    if not wanted.in_spaces:
        return {""} if masks.allow(wanted) else set()
    return {space_id for space_id, role in masks.spaces.items() if role.level >= wanted.level}


@given(rights, st.lists(st.sampled_from(NEEDS)), st.sampled_from([PARTS, (ORG_ACCESS,), (PERMISSIONS,)]))
def test_what_is_left_allows_all_that_was_used_and_nothing_new(held: Rights, tried: list[Need], parts: tuple[str, ...]) -> None:
    used = [one for one in tried if allowed(held, one)]
    found = unused(held, used, CATEGORIES, SPACES, parts)
    if found is None:
        return
    assert found.permissions
    for one in used:
        assert allowed(held, one) == allowed(found.narrowed, one), (one, found)
    for one in NEEDS:
        assert allowed(found.narrowed, one) <= allowed(held, one), (one, found)
    assert unused(found.narrowed, used, CATEGORIES, SPACES, parts) is None


def used(*words: str) -> list[Need]:
    return [need(word, CATEGORIES, "path:space_id" if word.partition(":")[0] in INSIDE else None) for word in words]


EVERYTHING = Rights(permissions={ALL: Level.WRITE})


@pytest.mark.parametrize(
    ("held", "words", "taken", "left"),
    [
        (
            Rights(permissions={"customers": Level.WRITE, "onboardings": Level.WRITE}),
            ["customers:read"],
            ("customers:write", "onboardings:write"),
            ["customers:read"],
        ),
        (
            EVERYTHING,
            ["customers:write", "messages:read"],
            ("onboardings:write", "chatbots:write", "messages:write", "items:write"),
            ["customers:write", "viewer in 3 spaces"],
        ),
        (Rights(OrgAccess.ADMIN), ["customers:read"], ("org-level Admin",), ["org-level Reader"]),
        (Rights(OrgAccess.READER, {"customers": Level.WRITE}), ["customers:write"], ("org-level Reader",), ["customers:write"]),
        (
            Rights(spaces={"s1": SpaceRole.MANAGER}, permissions={"customers": Level.READ}),
            ["messages:read"],
            ("customers:read",),
            ["manager in 1 space"],
        ),
    ],
)
def test_what_was_never_used_is_named_and_the_rest_is_kept(held: Rights, words: list[str], taken: tuple[str, ...], left: list[str]) -> None:
    found = unused(held, used(*words), CATEGORIES, SPACES, PARTS)
    assert found is not None
    assert (taken, left) == (found.permissions, in_words(found.narrowed))


@pytest.mark.parametrize(
    "words", [["customers:write", "onboardings:write", "chatbots:write", "items:write"], ["full_write", "items:write"]]
)
def test_who_has_used_everything_keeps_it(words: list[str]) -> None:
    assert unused(EVERYTHING, used(*words), CATEGORIES, SPACES, PARTS) is None


@pytest.mark.parametrize("word", ["any", "org_admin"])
def test_an_admin_who_used_what_answers_admins_with_more_stays_one(word: str) -> None:
    assert unused(Rights(OrgAccess.ADMIN), used(word), CATEGORIES, SPACES, PARTS) is None
