"""When, and from where, each credential was last accepted. Told by the request log, so it is as far behind as that is."""

from collections.abc import Collection, Iterable

from sqlalchemy import select

from keyrack.model.call_counts import latest_uses
from keyrack.model.request_logs import CredentialUse
from keyrack.store import call_counts
from keyrack.store.bulk import add_many
from keyrack.store.database import Connection
from keyrack.store.traffic_tables import credential_uses

_LATEST_WINS = (
    "DO UPDATE SET used_at = excluded.used_at, ip_address = excluded.ip_address WHERE excluded.used_at > keyrack_credential_uses.used_at"
)


async def of(c: Connection, workspace_id: str, credential_ids: Collection[str]) -> dict[str, CredentialUse]:
    """Return the last use of each of these credentials (a page of them) that was used at all."""
    uses = credential_uses.c
    found = select(credential_uses).where(uses.workspace_id == workspace_id, uses.credential_id.in_(credential_ids))
    settled = [CredentialUse(row.credential_id, row.workspace_id, row.used_at, row.ip_address) for row in await c.all(found)]
    unsettled = latest_uses(await call_counts.unsettled(c, workspace_id))
    of_both = sorted([*settled, *unsettled], key=lambda use: use.used_at)
    return {use.credential_id: use for use in of_both if use.credential_id in credential_ids}


async def save(c: Connection, uses: Iterable[CredentialUse]) -> None:
    """Write uses, one per credential; one that is older than what is there changes nothing.

    In the order of their ids: two transactions that write the same ones then wait for each other in one direction only.
    """
    rows = [(use.credential_id, use.workspace_id, use.used_at, use.ip_address) for use in sorted(uses, key=lambda use: use.credential_id)]
    await add_many(c, credential_uses, rows, _LATEST_WINS)
