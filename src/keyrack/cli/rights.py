"""Rights as options: `--permission customers:read`, `--all`, `--org-access reader`, `--space ID:viewer`."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from keyrack.cli.failures import Failed
from keyrack.model.permissions import ALL, Level, OrgAccess

PermissionsGiven = Annotated[
    list[str] | None,
    typer.Option("--permission", metavar="CATEGORY:LEVEL", help="What it may do, like customers:write (or read, none); repeatable."),
]
AllPermissions = Annotated[bool, typer.Option("--all", help="All permissions, in categories and spaces that come later too.")]
OrgAccessGiven = Annotated[OrgAccess | None, typer.Option("--org-access", help="Reader reads every category; admin manages the workspace.")]
SpacesGiven = Annotated[
    list[str] | None, typer.Option("--space", metavar="ID:ROLE", help="A role in a space: viewer, contributor or manager; repeatable.")
]


def read_permissions(permissions: Sequence[str] | None, everything: bool) -> dict[str, Any]:
    """Return the field `permissions` as the API takes it, or nothing where none was given. Raises Failed."""
    if everything and permissions:
        raise Failed("--all holds every permission: leave --permission out.")
    if everything:
        return {"permissions": {ALL: Level.WRITE.word}}
    return {"permissions": _pairs("--permission", permissions)} if permissions else {}


def read_rights(
    org_access: OrgAccess | None, permissions: Sequence[str] | None, everything: bool, spaces: Sequence[str] | None
) -> dict[str, Any]:
    """Return those of the fields `org_access`, `permissions` and `spaces` that were given, as the API takes them. Raises Failed."""
    fields = read_permissions(permissions, everything)
    if org_access is not None:
        fields["org_access"] = org_access.value
    if spaces:
        fields["spaces"] = [{"space_id": space_id, "role": role} for space_id, role in _pairs("--space", spaces).items()]
    return fields


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, colon, value = text.rpartition(":")
        if not (name and colon and value) or name in pairs:
            raise Failed(f"{option} {text}: write NAME:VALUE, each name once, like {option} {_EXAMPLES[option]}")
        pairs[name] = value
    return pairs


_EXAMPLES = {"--permission": "customers:write", "--space": "c…:viewer"}
