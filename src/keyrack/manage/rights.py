"""Rights as somebody chooses them for an integration or a member: whether they can be, and whether whoever gives them has them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keyrack.manage.desk import Desk
from keyrack.model.permissions import ALL, Level, Rights
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, INVALID_REQUEST

PARTS = ("org_access", "permissions", "spaces")
SPACES_MAX = 1000
PARTNER_LENGTH_MAX = 100


def changed(rights: Rights, parts: Mapping[str, Any]) -> Rights:
    """Return rights with the `PARTS` that are named in place of their own, each whole."""
    return replace(rights, **{name: parts[name] for name in PARTS if name in parts})


def checked(desk: Desk, actor: Principal, rights: Rights) -> Rights:
    """Return rights in the form in which they are stored, once they can be and the actor may give them.

    Raises Refused: 400 for a category that has no level, 403 naming what the actor lacks. Whether the spaces exist, the store looks.
    """
    chosen = replace(rights, permissions=_levels(desk, rights.permissions))
    if len(chosen.spaces) > SPACES_MAX:
        raise INVALID_REQUEST(f"Give roles in at most {SPACES_MAX} spaces.", param="spaces")
    excess = actor.rights.excess(chosen, desk.categories)
    if excess is not None:
        raise INSUFFICIENT_PERMISSION(f"Nobody can give more than they have, and {excess} is more: {actor.describe()}.")
    return chosen


def checked_partner(partner: str | None) -> str | None:
    """Return the label of a partner as it is stored; None for none. Raises Refused 400 for one that cannot be."""
    stripped = (partner or "").strip()
    if len(stripped) > PARTNER_LENGTH_MAX or not stripped.isprintable():
        raise INVALID_REQUEST(f"A partner's name has at most {PARTNER_LENGTH_MAX} printable characters.", param="partner")
    return stripped or None


def shown(rights: Rights) -> dict[str, Any]:
    """Return rights as they are on the wire, in answers and in events."""
    return {
        "org_access": rights.org_access.value,
        "permissions": {name: level.word for name, level in sorted(rights.permissions.items())},
        "spaces": [{"space_id": space_id, "role": role.value} for space_id, role in sorted(rights.spaces.items())],
    }


def _levels(desk: Desk, permissions: Mapping[str, Level]) -> dict[str, Level]:
    levels: dict[str, Level] = {name: level for name, level in permissions.items() if level is not Level.NONE}
    if ALL in levels:
        if levels != {ALL: Level.WRITE}:
            raise INVALID_REQUEST('All permissions are {"*": "write"}, which stands alone.', param="permissions")
        return levels
    for name in (name for name in permissions if name != ALL):
        category = desk.categories.get(name)
        if category is None:
            known = ", ".join(one.name for one in desk.categories.values() if not one.in_spaces)
            raise INVALID_REQUEST(f"There is no category {name[:60]!r}: use {known}, or * for all.", param=f"permissions.{name[:60]}")
        if category.in_spaces and name in levels:
            raise INVALID_REQUEST(f"{category.title} lie in spaces: give a role in a space instead.", param=f"permissions.{name}")
    return levels
