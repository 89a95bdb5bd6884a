"""Rights that somebody holds and has never used: what can be taken from them without anything that works now failing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from keyrack.model.permissions import (
    ALL,
    ANY,
    FULL_WRITE,
    ORG_ADMIN,
    OWN_NEEDS,
    Category,
    Level,
    Need,
    OrgAccess,
    Permission,
    Rights,
    SpaceRole,
)

ORG_ACCESS, PERMISSIONS = "org_access", "permissions"


@dataclass(frozen=True, slots=True)
class Unused:
    """What of some rights was never used, in words (`onboardings:write`), and the rights that are left without it."""

    permissions: tuple[str, ...]
    narrowed: Rights


def unused(
    rights: Rights, needs: Sequence[Need], categories: Mapping[str, Category], space_ids: Iterable[str], parts: Collection[str]
) -> Unused | None:
    """Return what the operations with these needs did not take of rights, or None where they took all of it.

    `space_ids` are all spaces of the workspace: the wildcard becomes single choices, and a role in each of them where what lies in spaces
    was used. Roles that somebody gave one by one stay. `parts` are those that may be narrowed: ORG_ACCESS, PERMISSIONS.
    """
    levels = _levels(needs, categories)
    outside = [one for one in categories.values() if not one.in_spaces]
    access, permissions, spaces = rights.org_access, rights.permissions, rights.spaces
    if ORG_ACCESS in parts:
        access = _org_access(rights, needs, levels, outside)
    found: list[str] = []
    if PERMISSIONS in parts:
        chosen, given = Rights(permissions=permissions), Rights(access)
        surplus = [one for one in outside if chosen.level(one) > max(levels[one.name], given.level(one))]
        inside = [one.name for one in categories.values() if one.in_spaces] if rights.has_all else []
        reached = max((levels[name] for name in inside), default=Level.WRITE)
        found = [f"{one.name}:{chosen.level(one).word}" for one in surplus]
        found += [f"{name}:write" for name in inside if reached < Level.WRITE]
        if rights.has_all and found:
            surplus, spaces = outside, _roles(reached if inside else Level.NONE, space_ids, spaces)
        if found:
            kept = {name: level for name, level in permissions.items() if name != ALL}
            permissions = {name: level for name, level in (kept | {one.name: levels[one.name] for one in surplus}).items() if level}
    if access is not rights.org_access:
        found.insert(0, f"org-level {rights.org_access.value.capitalize()}")
    return Unused(tuple(found), Rights(access, permissions, spaces)) if found else None


def in_words(rights: Rights) -> list[str]:
    """Return rights shortly: `org-level Reader`, `customers:read`, `contributor in 3 spaces`."""
    found = [] if rights.org_access is OrgAccess.NONE else [f"org-level {rights.org_access.value.capitalize()}"]
    found += ["everything"] if rights.has_all else [f"{name}:{level.word}" for name, level in rights.permissions.items()]
    for role in SpaceRole:
        count = sum(1 for held in rights.spaces.values() if held is role)
        found += [f"{role.value} in {count} space{'' if count == 1 else 's'}"] if count else []
    return found


def _levels(needs: Iterable[Need], categories: Mapping[str, Category]) -> dict[str, Level]:
    """How far operations with these needs went into each category."""
    levels = dict.fromkeys(categories, Level.NONE)
    for need in needs:
        if need.declared == FULL_WRITE.declared:
            levels |= {one.name: Level.WRITE for one in categories.values() if not one.in_spaces}
        elif need.declared not in OWN_NEEDS:
            wanted = Permission.of(need.declared)
            levels[wanted.category] = max(levels[wanted.category], wanted.level)
    return levels


def _org_access(rights: Rights, needs: Iterable[Need], levels: Mapping[str, Level], outside: Sequence[Category]) -> OrgAccess:
    """The org-level access without which some of the used operations would have been refused."""
    # What any credential may ask answers an Admin with more: nobody can tell whether that mattered.
    if any(need.declared in (ANY.declared, ORG_ADMIN.declared) for need in needs):
        return rights.org_access
    chosen = Rights(permissions=rights.permissions)
    lacking = [levels[one.name] for one in outside if levels[one.name] > chosen.level(one)]
    wanted = OrgAccess.ADMIN if Level.WRITE in lacking else OrgAccess.READER if lacking else OrgAccess.NONE
    return min(wanted, rights.org_access, key=list(OrgAccess).index)


def _roles(reached: Level, space_ids: Iterable[str], held: Mapping[str, SpaceRole]) -> dict[str, SpaceRole]:
    """Roles in place of those that the wildcard gave in every space."""
    if reached is Level.NONE:
        return dict(held)
    role = SpaceRole.CONTRIBUTOR if reached is Level.WRITE else SpaceRole.VIEWER
    return {space_id: max(role, held.get(space_id, role), key=lambda one: one.rank) for space_id in {*space_ids, *held}}
