"""Revealing: where a workspace wants it, the secrets of keys made from then on can be shown again (DESIGN §6).

Only to an admin who signed in and proved within the last ten minutes that it is them; never to a credential; each time as an event.
"""

from dataclasses import replace

from keyrack.crypto.format import Secret
from keyrack.manage import sessions
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.model.events import EventType
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION
from keyrack.model.workspaces import Workspace
from keyrack.store import keys, workspaces

KEY_REVEALED = EventType("key.revealed", description="A key's secret was shown again.")
REVEALING_SWITCHED = EventType("workspace.revealing_switched", description="The showing of secrets was switched on, or off for good.")


async def switch(desk: Desk, actor: Principal, enabled: bool) -> Workspace:
    """Have the secrets of keys that are made from now on kept for showing again, or have all kept ones destroyed.

    Raises Refused: 403 without org-level Admin, and for anybody but a person who signed in by themselves; `proof_required`.
    """
    actor.require_admin("switch the showing of secrets")
    if not actor.decides_roles:
        raise INSUFFICIENT_PERMISSION("A credential never does this: sign in to the console.")
    sessions.require_proof(desk, actor)
    async with change(desk, actor) as c:
        workspace = await workspaces.get(c.connection, actor.workspace.id)
        if workspace.revealing is enabled:
            c.found_done()
            return workspace
        switched = replace(workspace, revealing=enabled, updated_at=c.now)
        await workspaces.save(c.connection, switched)
        destroyed = 0 if enabled else await keys.delete_sealed(c.connection, workspace.id)
        c.touch(workspace.id)
        c.record(REVEALING_SWITCHED, workspace.id, {"id": workspace.id, "revealing": enabled, "destroyed": destroyed})
    return switched


async def reveal(desk: Desk, actor: Principal, key_id: str) -> Secret:
    """Return the secret of a key, for the one person who asks. Copying it without looking counts the same.

    Raises Refused: 403 without org-level Admin, and for credentials; `proof_required`; 404; 409 for a key whose secret was never kept, or
    is kept no more: ended keys, and all where the workspace does not reveal.
    """
    actor.require_admin("reveal keys")
    sessions.require_proof(desk, actor)
    async with change(desk, actor) as c:
        key = await keys.get(c.connection, actor.workspace.id, key_id)
        kept = await keys.sealed(c.connection, actor.workspace.id, key_id)
        if kept is None or key.ended(c.now):
            raise CONFLICT("The secret of this key is not kept: it was shown once, when the key was made. Rotate the key for a new one.")
        try:
            clear = desk.sealers["key"].open(kept, _owner(actor.workspace.id, key.id))
        except ValueError:
            raise CONFLICT(
                "The secret of this key was sealed under a key that the operator has taken away. Rotate it for a new one."
            ) from None
        # Whose word it was that the person proved themselves: a host's, where its key asked for the portal link (decision 0013).
        told = {"id": key.id, "name": key.name, "prefix": key.prefix, "through_key_id": actor.through_key_id}
        c.record(KEY_REVEALED, key.id, told)
    return Secret(clear.decode())


async def sealed(desk: Desk, c: Change, key_id: str, secret: Secret) -> bytes | None:
    """Return the copy of a new key's secret that its workspace keeps, inside the change that makes the key; None where it keeps none."""
    workspace = await workspaces.get(c.connection, c.workspace_id)
    if not workspace.revealing:
        return None
    return desk.sealers["key"].seal(secret.text.encode(), _owner(workspace.id, key_id))


def _owner(workspace_id: str, key_id: str) -> str:
    return f"{workspace_id} {key_id}"
