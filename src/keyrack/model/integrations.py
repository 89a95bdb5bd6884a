"""Integrations: virtual users, outside programs that a workspace lets in. Rights live on them."""

from dataclasses import dataclass, field

from keyrack.model.permissions import Rights


@dataclass(frozen=True, slots=True)
class Integration:
    """One integration. Times are milliseconds since the epoch; `made_by` is the owner id of whoever made it.

    `partner` says which outside company runs the program, where one does.
    """

    id: str
    workspace_id: str
    name: str
    created_at: int
    updated_at: int
    made_by: str
    made_by_name: str
    rights: Rights = field(default_factory=Rights)
    deleted_at: int | None = None
    deleted_by: str | None = None
    partner: str | None = None
