"""What the compiled masks allow is what a plain, slow reading of the rights allows."""

from hypothesis import given
from hypothesis import strategies as st

from keyrack.model.permissions import ALL, Category, Level, Need, OrgAccess, Rights, SpaceRole, compile_rights, need

CATEGORIES = {
    name: Category(name, name.title(), in_spaces=inside)
    for name, inside in {"customers": False, "messages": True, "onboardings": False, "items": True, "chatbots": False}.items()
}
SPACES = ["s1", "s2", "s3"]
OUTSIDE = [name for name, category in CATEGORIES.items() if not category.in_spaces]
INSIDE = [name for name, category in CATEGORIES.items() if category.in_spaces]

levels = st.sampled_from([Level.READ, Level.WRITE])
rights = st.builds(
    Rights,
    st.sampled_from(OrgAccess),
    st.one_of(st.just({ALL: Level.WRITE}), st.dictionaries(st.sampled_from(OUTSIDE), levels)),
    st.dictionaries(st.sampled_from(SPACES), st.sampled_from(SpaceRole)),
)
words = st.sampled_from(["read", "write"])


def plainly_allows(held: Rights, category: str, word: str, space: str | None) -> bool:
    """Read the rights as DESIGN §5 says them, one sentence after the other."""
    if space is not None:
        role = held.spaces.get(space)
        if role in (SpaceRole.CONTRIBUTOR, SpaceRole.MANAGER):
            return True
        if ALL in held.permissions:
            return space in SPACES
        return role is SpaceRole.VIEWER and word == "read"
    if held.org_access is OrgAccess.ADMIN or ALL in held.permissions:
        return True
    if word == "read" and held.org_access is OrgAccess.READER:
        return True
    level = held.permissions.get(category, Level.NONE)
    return level is Level.WRITE or (word == "read" and level is Level.READ)


@given(rights, st.sampled_from(OUTSIDE), words)
def test_masks_allow_exactly_what_the_rights_say(held: Rights, category: str, word: str) -> None:
    masks = compile_rights(held, CATEGORIES, SPACES if held.has_all else ())
    assert plainly_allows(held, category, word, None) == masks.allow(need(f"{category}:{word}", CATEGORIES))


@given(rights, st.sampled_from(INSIDE), words, st.sampled_from([*SPACES, "of-another-workspace"]))
def test_what_lies_in_a_space_is_reached_through_a_role_in_it_alone(held: Rights, category: str, word: str, space: str) -> None:
    masks = compile_rights(held, CATEGORIES, SPACES if held.has_all else ())
    wanted = need(f"{category}:{word}", CATEGORIES, "path:space_id")
    role = masks.spaces.get(space)
    assert plainly_allows(held, category, word, space) == (role is not None and role.level >= wanted.level)


@given(rights, rights)
def test_nobody_can_give_more_than_they_have(giver: Rights, given_rights: Rights) -> None:
    if giver.excess(given_rights, CATEGORIES) is None and giver.org_access is not OrgAccess.ADMIN:
        for category in OUTSIDE:
            assert given_rights.level(CATEGORIES[category]) <= giver.level(CATEGORIES[category])
        for space in SPACES:
            got, own = given_rights.role(space), giver.role(space)
            assert got is None or (own is not None and got.rank <= own.rank)


@given(rights, rights)
def test_a_token_carries_at_most_its_members_rights(chosen: Rights, member: Rights) -> None:
    carried = chosen.within(member, CATEGORIES)
    for category in OUTSIDE:
        for word in ("read", "write"):
            allowed = plainly_allows(carried, category, word, None)
            assert allowed == (plainly_allows(chosen, category, word, None) and plainly_allows(member, category, word, None))
    for space in SPACES:
        for word in ("read", "write"):
            allowed = plainly_allows(carried, "messages", word, space)
            assert allowed == (plainly_allows(chosen, "messages", word, space) and plainly_allows(member, "messages", word, space))


@given(rights)
def test_only_org_level_admin_manages_and_only_full_write_sees_the_events(held: Rights) -> None:
    masks = compile_rights(held, CATEGORIES)
    own: dict[str, Need] = {word: need(word, CATEGORIES) for word in ("any", "full_write", "org_admin")}
    assert masks.allow(own["any"])
    assert masks.allow(own["org_admin"]) == (held.org_access is OrgAccess.ADMIN)
    assert masks.allow(own["full_write"]) == all(plainly_allows(held, category, "write", None) for category in OUTSIDE)
