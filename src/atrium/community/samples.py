"""What stands in the community of a demo, always the same: developers who are nobody's, and a team that answers."""

from collections.abc import Iterator

from sqlalchemy import select

from atrium.community.founding import Home, found
from atrium.community.models import Reply, Thread
from atrium.community.spaces import CommunitySpace
from atrium.database import Database, Row, now_ms
from keyrack import Keyrack

HOUR_MS = 3_600_000
TEAM = "Kim Ito"
SHARED = """We copy into our warehouse every night what has changed since the last run:

```
curl "$API/customers?updated_after=2026-11-20T00:00:00Z&sort=updated_at&limit=100" -H "Authorization: Bearer $KEY"
```

- one integration of its own, **Reader**, so it can break nothing
- we keep the newest `updated_at`, and begin there the next time"""
SAMPLES = (
    (
        CommunitySpace.SHARE,
        "Tomás Reyes",
        "A nightly copy into our warehouse",
        SHARED,
        "Nice. Deletions come with `GET /events`, in the same run.",
    ),
    (
        CommunitySpace.ASK,
        "Hana Kobayashi",
        "Which role lets an integration assign items?",
        "It may read them, and gets a 403 when it assigns one.",
        "**Contributor** in that space: a viewer reads, a contributor writes. See the [guide](/docs/guides/integrations).",
    ),
)


async def load(rack: Keyrack, database: Database) -> None:
    """Fill the community, unless somebody has written there already."""
    home = await found(rack, database, f"{rack.brand.name} Dev. Community")
    async with database.writing.begin() as session:
        written = select(Thread.id).where(Thread.workspace_id == home.workspace_id, Thread.entry.is_(None))
        if await session.scalar(written.limit(1)) is None:
            for row in _rows(home, now_ms()):
                session.add(row)
                await session.flush()


def _rows(home: Home, now: int) -> Iterator[Row]:
    for age_hours, (space, author, title, body, answer) in zip((20, 6), SAMPLES, strict=True):
        asked, answered = now - age_hours * HOUR_MS, now - (age_hours - 1) * HOUR_MS
        shared = {"workspace_id": home.workspace_id, "author_id": ""}
        thread = Thread(
            **shared,
            space_id=home.space_ids[space],
            title=title,
            body=body,
            author_name=author,
            by_staff=False,
            active_at=answered,
            replies=1,
            created_at=asked,
            updated_at=asked,
        )
        yield thread
        yield Reply(**shared, thread_id=thread.id, body=answer, author_name=TEAM, by_staff=True, created_at=answered, updated_at=answered)
