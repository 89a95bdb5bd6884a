"""Rights: what a principal may do, as people choose them and as the gate checks them.

Three parts add up (nothing takes away): org-level access, a level per category, and a role per space. What lies in spaces is reached
through a space role alone. `Rights` is what is stored and shown; `Masks` is the same compiled to integers, so that a check is one `&`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

ALL = "*"
"""The wildcard category: write in every category and contributor in every space, later ones included."""


class Level(IntEnum):
    """How far into a category somebody may go. Write includes delete."""

    NONE = 0
    READ = 1
    WRITE = 2

    @property
    def word(self) -> str:
        """The level's name on the wire."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Level":
        """Return the level with this name on the wire; raise ValueError for any other."""
        levels = {"none": cls.NONE, "read": cls.READ, "write": cls.WRITE}
        if word not in levels:
            raise ValueError(f"{word!r} is not a level: use none, read or write")
        return levels[word]


class OrgAccess(StrEnum):
    """Access to the workspace as a whole: Reader reads every category, Admin writes them all and manages the workspace."""

    NONE = "none"
    READER = "reader"
    ADMIN = "admin"


class SpaceRole(StrEnum):
    """What somebody may do inside one space: read; write; write and say who is in it."""

    VIEWER = "viewer"
    CONTRIBUTOR = "contributor"
    MANAGER = "manager"

    @property
    def level(self) -> Level:
        """The level this role gives in every category that lies in spaces."""
        return Level.READ if self is SpaceRole.VIEWER else Level.WRITE

    @property
    def rank(self) -> int:
        """Order of the roles: viewer 1, contributor 2, manager 3."""
        return list(SpaceRole).index(self) + 1


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of host data that permissions speak of.

    `name` is the word on the wire, `title` what the console shows. Categories with `in_spaces` lie inside spaces: they are reached by a
    space role, never by a level.
    """

    name: str
    title: str
    description: str = ""
    in_spaces: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """A category and a level: `customers:write`. Raises ValueError when made from text of another form."""

    category: str
    level: Level

    @classmethod
    def of(cls, text: str) -> "Permission":
        """Read `category:level`, where level is read or write."""
        category, colon, word = text.partition(":")
        if not colon or not category or word not in ("read", "write"):
            raise ValueError(f"{text!r} is not a permission: write it as category:read or category:write")
        return cls(category, Level.of(word))

    def __str__(self) -> str:
        return f"{self.category}:{self.level.word}"


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of an integration or a member, as somebody chose them.

    `permissions` maps a category (or `ALL`) to a level above none; `spaces` maps a space id to a role.
    """

    org_access: OrgAccess = OrgAccess.NONE
    permissions: Mapping[str, Level] = field(default_factory=dict)
    spaces: Mapping[str, SpaceRole] = field(default_factory=dict)

    @property
    def has_all(self) -> bool:
        """Whether these rights hold the wildcard."""
        return self.permissions.get(ALL) is Level.WRITE

    @property
    def reach_nothing(self) -> bool:
        """Whether nothing can be read or written with these rights."""
        return self.org_access is OrgAccess.NONE and not any(self.permissions.values()) and not self.spaces

    def level(self, category: Category) -> Level:
        """The level in a category that does not lie in spaces."""
        if self.has_all or self.org_access is OrgAccess.ADMIN:
            return Level.WRITE
        chosen = self.permissions.get(category.name, Level.NONE)
        return max(chosen, Level.READ) if self.org_access is OrgAccess.READER else chosen

    def role(self, space_id: str) -> SpaceRole | None:
        """The role in a space, or None where the space cannot be seen."""
        chosen = self.spaces.get(space_id)
        if self.has_all and chosen is not SpaceRole.MANAGER:
            return SpaceRole.CONTRIBUTOR
        return chosen

    def excess(self, given: "Rights", categories: Mapping[str, Category]) -> str | None:
        """Say what `given` has that these rights lack, or None: nobody can give more than they have.

        Org-level Admin may hand out everything, also roles in spaces whose content it cannot read (DESIGN §5).
        """
        if self.org_access is OrgAccess.ADMIN:
            return None
        ranks = list(OrgAccess)
        if ranks.index(given.org_access) > ranks.index(self.org_access):
            return f"org-level {given.org_access.value}"
        if given.has_all and not self.has_all:
            return "all permissions"
        for name, level in given.permissions.items():
            if name != ALL and level > self.level(categories[name]):
                return f"{name}:{level.word}"
        for space_id, role in given.spaces.items():
            own = self.role(space_id)
            if own is None or role.rank > own.rank:
                return f"{role.value} in space {space_id}"
        return None

    def within(self, bound: "Rights", categories: Mapping[str, Category]) -> "Rights":
        """Return the part of these rights that `bound` holds too: a token carries at most its member's live rights."""
        ranks = list(OrgAccess)
        org = min(self.org_access, bound.org_access, key=ranks.index)
        if self.has_all and bound.has_all:
            permissions: dict[str, Level] = {ALL: Level.WRITE}
        else:
            levels = {c.name: min(self.level(c), bound.level(c)) for c in categories.values() if not c.in_spaces}
            permissions = {name: level for name, level in levels.items() if level}
        spaces = {}
        for space_id in {*self.spaces, *bound.spaces}:
            mine, theirs = self.role(space_id), bound.role(space_id)
            if mine and theirs:
                spaces[space_id] = min(mine, theirs, key=lambda role: role.rank)
        return Rights(org, permissions, spaces)


@dataclass(frozen=True, slots=True)
class Need:
    """What an operation needs, compiled: one bit, and whether the write mask must hold it.

    `space` is None, `"object"` (only the loaded object knows its space, the handler asks) or the name of the path parameter that
    names the space. `text` is what people read, `declared` the word that the route declared.
    """

    text: str
    declared: str
    bit: int
    write: bool
    in_spaces: bool = False
    space: str | None = None

    @property
    def level(self) -> Level:
        """The level that a space role must give."""
        return Level.WRITE if self.write else Level.READ


ANY_BIT, FULL_WRITE_BIT, ORG_ADMIN_BIT, EMBED_KEY_BIT, VISITOR_BIT = 1, 2, 4, 8, 16
"""Bits 0–4 of the masks are our own needs; bit 5 on are the categories in the host's order."""

ANY = Need("any credential", "any", ANY_BIT, write=False)
FULL_WRITE = Need("write in every category", "full_write", FULL_WRITE_BIT, write=True)
ORG_ADMIN = Need("org-level Admin", "org_admin", ORG_ADMIN_BIT, write=True)
EMBED_KEY = Need("an embed key", "embed_key", EMBED_KEY_BIT, write=False)
VISITOR = Need("a visitor's session", "visitor", VISITOR_BIT, write=False)
OWN_NEEDS: Mapping[str, Need] = {need.declared: need for need in (ANY, FULL_WRITE, ORG_ADMIN, EMBED_KEY, VISITOR)}
"""The needs that name no category, by the word a route declares: `rack.requires("org_admin")`."""


@dataclass(frozen=True, slots=True)
class Masks:
    """Rights compiled to two integers and a space map. Checking is one `&`."""

    read: int
    write: int
    spaces: Mapping[str, SpaceRole]

    def allow(self, need: Need) -> bool:
        """Whether the rights outside spaces satisfy a need that names no space."""
        return bool((self.write if need.write else self.read) & need.bit)


EMBEDDED_MASKS = Masks(EMBED_KEY_BIT, 0, {})
VISITOR_MASKS = Masks(VISITOR_BIT, 0, {})
"""Those of an embed key and of a visit: not even what any credential may ask."""


def compile_rights(rights: Rights, categories: Mapping[str, Category], space_ids: Iterable[str] = ()) -> Masks:
    """Compile rights to masks; done once, when a credential is cached.

    `space_ids` are all spaces of the workspace where the rights hold the wildcard (it reaches those and no id beyond them).
    """
    read, write = ANY_BIT, 0
    bit = VISITOR_BIT
    full = True
    for category in categories.values():
        bit <<= 1
        if category.in_spaces:
            continue
        level = rights.level(category)
        read |= bit if level >= Level.READ else 0
        write |= bit if level >= Level.WRITE else 0
        full = full and level is Level.WRITE
    write |= FULL_WRITE_BIT if full else 0
    write |= ORG_ADMIN_BIT if rights.org_access is OrgAccess.ADMIN else 0
    roles = {space_id: role for space_id in {*rights.spaces, *space_ids} if (role := rights.role(space_id))}
    return Masks(read, write, roles)


def need(text: str, categories: Mapping[str, Category], space: str | None = None) -> Need:
    """Compile what a route declares: `any`, `full_write`, `org_admin`, `embed_key`, `visitor` or `category:level`.

    Raises ValueError for an unknown category, and where `space` is missing for a category in spaces or given for another.
    """
    if text in OWN_NEEDS:
        if space:
            raise ValueError(f"{text!r} names no category, so it takes no space")
        return OWN_NEEDS[text]
    permission = Permission.of(text)
    names = list(categories)
    if permission.category not in categories:
        raise ValueError(f"{text!r} names no category of this host: it has {', '.join(names)}")
    in_spaces = categories[permission.category].in_spaces
    if in_spaces != (space is not None):
        how = 'say where the space is named: space="path:NAME" or space="object"' if in_spaces else "leave out space="
        raise ValueError(f"{text!r}: {how}")
    if space and space != "object" and not space.startswith("path:"):
        raise ValueError(f'space={space!r}: write "object" or "path:NAME"')
    bit = VISITOR_BIT << 1 + names.index(permission.category)
    return Need(str(permission), text, bit, permission.level is Level.WRITE, in_spaces, space.removeprefix("path:") if space else None)
