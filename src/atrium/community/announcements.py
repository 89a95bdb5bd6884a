"""What the changelog tells, as threads in Updates: each entry once, whichever process comes first, and however often it starts."""

from datetime import UTC, datetime

from sqlalchemy import select

from atrium.community.founding import Home, add_missing
from atrium.community.models import Thread
from atrium.community.spaces import CommunitySpace
from atrium.database import Database, now_ms
from keyrack import Keyrack, new_id

TITLE_LENGTH_MAX = 200
ENTRY_LENGTH_MAX = 400


async def announce(rack: Keyrack, database: Database, home: Home) -> int:
    """Post what of the changelog is not there yet, and return how many entries that were. Oldest first, each as of its day."""
    entries = {entry.id[:ENTRY_LENGTH_MAX]: entry for entry in reversed(rack.changelog)}
    async with database.reading() as session:
        posted = set(await session.scalars(select(Thread.entry).where(Thread.entry.in_(entries))))
    missing = {id: entry for id, entry in entries.items() if id not in posted}
    for id, entry in missing.items():
        # At noon, which is on that day nearly everywhere; never in what is still to come.
        at = min(int(datetime.fromisoformat(f"{entry.date}T12:00").replace(tzinfo=UTC).timestamp()) * 1000, now_ms())
        async with database.writing.begin() as session:
            values = {
                "id": new_id(),
                "workspace_id": home.workspace_id,
                "space_id": home.space_ids[CommunitySpace.UPDATES],
                "title": entry.title[:TITLE_LENGTH_MAX],
                "body": entry.markdown,
                "author_id": "",
                "author_name": rack.brand.name,
                "by_staff": True,
                "entry": id,
                "replies": 0,
                **dict.fromkeys(("created_at", "updated_at", "active_at"), at),
            }
            # Two processes that start at once both come here: the entry is unique.
            await add_missing(session, Thread, values)
    return len(missing)
