"""Who writes what lies in spaces."""

from keyrack import Caller


def written_by(caller: Caller) -> dict[str, str]:
    """Return the columns of a row that this caller writes: its workspace and its author."""
    who = caller.principal
    return {"workspace_id": caller.workspace_id, "author_id": who.owner_id, "author_name": caller.name, "author_kind": who.kind.value}
