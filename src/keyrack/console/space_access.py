"""Roles in spaces, chosen in a form that works page by page without JavaScript: what is chosen elsewhere goes along in hidden fields."""

from collections.abc import Mapping
from dataclasses import dataclass

from keyrack.console.lists import FILTER_LENGTH_MAX, ROWS
from keyrack.console.pages import Pages
from keyrack.manage import spaces
from keyrack.manage.rights import SPACES_MAX
from keyrack.model.orders import Place
from keyrack.model.permissions import SpaceRole
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST
from keyrack.model.spaces import Space

ACCESS_FIELDS_MAX = 2 * SPACES_MAX + 50
"""A field for the role in each space, one for the role it had, and the others of the form."""
GONE = "A space that you had chosen was deleted meanwhile. Look at the roles again, then save."
"""What to say where `without_deleted` had something to take out."""
_ROLE, _HAD = "role.", "had."


@dataclass(frozen=True, slots=True)
class Offered:
    """A page of spaces with the roles that are chosen in them. `elsewhere` are roles in spaces that are not on it; `had` those before.

    `search` is what the names were searched for; `passed` and `following` say where the pages before this one and this one ended.
    """

    rows: list[tuple[Space, str]]
    elsewhere: Mapping[str, str]
    had: Mapping[str, str]
    search: str
    passed: str
    following: str

    @property
    def chosen(self) -> int:
        """In how many spaces a role is chosen."""
        return len(self.elsewhere) + sum(1 for _, role in self.rows if role)


def fields_of(roles: Mapping[str, SpaceRole]) -> dict[str, str]:
    """Return the fields of a form that shows these roles, before anybody has chosen others."""
    return {f"{prefix}{space_id}": role.value for prefix in (_ROLE, _HAD) for space_id, role in roles.items()}


def roles_in(form: Mapping[str, str]) -> dict[str, SpaceRole]:
    """Return the roles that a form has chosen. Raises Refused 400 for what is no role."""
    try:
        return {space_id: SpaceRole(role) for space_id, role in _named(form, _ROLE).items()}
    except ValueError:
        raise INVALID_REQUEST("Choose one of the roles in the list.", param="spaces") from None


def changes_in(form: Mapping[str, str]) -> dict[str, SpaceRole | None]:
    """Return the roles that somebody has changed in a form, None where one was taken: others may have changed the rest meanwhile."""
    chosen, had = roles_in(form), _named(form, _HAD)
    changed: dict[str, SpaceRole | None] = {space_id: role for space_id, role in chosen.items() if had.get(space_id) != role.value}
    return changed | {space_id: None for space_id in had if space_id not in chosen}


async def offer(pages: Pages, member: Principal, form: Mapping[str, str]) -> Offered:
    """Return the page of spaces that a form asks for. Raises Refused 403."""
    search = form.get("find", "").strip()[:FILTER_LENGTH_MAX]
    passed = _passed(form) if search == form.get("found", "") else []
    found = await spaces.page(pages.desk, member, limit=ROWS + 1, after=_place(passed), search=search or None)
    roles, shown = _named(form, _ROLE), found[:ROWS]
    ids = {space.id for space in shown}
    return Offered(
        rows=[(space, roles.get(space.id, "")) for space in shown],
        elsewhere={space_id: role for space_id, role in roles.items() if space_id not in ids},
        had=_named(form, _HAD),
        search=search,
        passed=" ".join(passed),
        following=f"{shown[-1].created_at}:{shown[-1].id}" if len(found) > ROWS else "",
    )


async def without_deleted(pages: Pages, member: Principal, form: Mapping[str, str]) -> dict[str, str]:
    """Return a form without the roles in spaces that there are no more. Raises Refused 403."""
    there = {space.id for space in await spaces.named(pages.desk, member, list(_named(form, _ROLE)))}
    return {name: value for name, value in form.items() if not name.startswith((_ROLE, _HAD)) or name.partition(".")[2] in there}


def _named(form: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in form.items() if name.startswith(prefix) and value}


def _passed(form: Mapping[str, str]) -> list[str]:
    """Where the pages ended that lie before the one that is asked for."""
    passed = form.get("passed", "").split()
    if form.get("go") == "older" and form.get("following"):
        return [*passed, form["following"]]
    return passed[:-1] if form.get("go") == "newer" else passed


def _place(passed: list[str]) -> Place | None:
    if not passed:
        return None
    at, _, space_id = passed[-1].partition(":")
    if not at.isdecimal() or len(at) > 15:
        raise INVALID_REQUEST("This form does not say where its list goes on: open the page again.")
    return int(at), space_id
