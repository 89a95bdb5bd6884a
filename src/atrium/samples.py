"""A sample workspace's data, always the same, so that a newcomer finds something to read."""

import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select

from atrium.chat import samples as chat_samples
from atrium.chat.models import Chatbot
from atrium.community import samples as community_samples
from atrium.customers.models import FIRST_DISPLAY_ID, Contact, Customer
from atrium.database import Base, Database, Row
from atrium.onboardings.models import Onboarding
from atrium.spaces.meters import MESSAGES
from atrium.spaces.models import Item, Message
from keyrack import Keyrack, Member, SpaceRole

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SAMPLES: dict[str, list[dict[str, Any]]] = tomllib.loads(Path(__file__).with_name("samples.toml").read_text(encoding="utf-8"))


async def load(rack: Keyrack, workspace_id: str) -> None:
    """Fill a workspace: each part in one transaction, unless there is some of it. Its first member wrote what is in the spaces.

    What of Atrium is off under the brand is left out.
    """
    database = Database(rack.host_engine())
    await database.create_tables()
    if "messages" in rack.categories:
        author, spaces = await _spaces(rack, workspace_id)
        await _fill(database, Message, workspace_id, _written(author, spaces, _now()))
    if "customers" in rack.categories:
        await _fill(database, Customer, workspace_id, _customers(workspace_id, _now()))
    if "chatbots" in rack.categories and await _fill(database, Chatbot, workspace_id, chat_samples.rows(workspace_id, _now())):
        await rack.count(MESSAGES, chat_samples.ANSWERS, workspace_id=workspace_id)
    if rack.brand.community.startswith("/"):
        await community_samples.load(rack, database)
    await database.close()


async def _spaces(rack: Keyrack, workspace_id: str) -> tuple[Member, dict[str, str]]:
    """The workspace's first member, and the ids of the spaces by their names: made where they are missing."""
    author = (await rack.members.list(workspace_id))[-1]
    spaces = {space.name: space.id for space in await rack.spaces.list(workspace_id)}
    for sample in SAMPLES["spaces"]:
        if sample["name"] not in spaces:
            space = await rack.spaces.create(workspace_id, sample["name"])
            await rack.spaces.set_role(workspace_id, space.id, author.id, SpaceRole.MANAGER)
            spaces[space.name] = space.id
    return author, spaces


async def _fill(database: Database, kind: type[Row], workspace_id: str, rows: Iterable[Base]) -> bool:
    """Add rows in one transaction, unless the workspace has one of the first kind already; return whether that was done."""
    async with database.writing.begin() as session:
        if await session.scalar(select(kind.id).where(kind.workspace_id == workspace_id).limit(1)) is not None:
            return False
        for row in rows:
            session.add(row)
            # Each at once: a customer is written before what hangs on it.
            await session.flush()
    return True


def _written(author: Member, spaces: Mapping[str, str], now: int) -> Iterator[Row]:
    for sample in SAMPLES["spaces"]:
        yield from _space(sample, author, spaces[sample["name"]], now)


def _customers(workspace_id: str, now: int) -> Iterator[Row]:
    # Samples count up to the first number that the workspace will give out itself.
    for age_days, sample in zip(range(len(SAMPLES["customers"]), 0, -1), SAMPLES["customers"], strict=True):
        yield from _customer(sample, workspace_id, FIRST_DISPLAY_ID - age_days, now - age_days * DAY_MS, now)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _customer(sample: dict[str, Any], workspace_id: str, display_id: int, created_at: int, now: int) -> Iterator[Row]:
    slug = sample["name"].lower().replace(" & ", "-").replace(" ", "-")
    domain = slug.replace("-", "") + ".example"
    shared = {"workspace_id": workspace_id, "created_at": created_at, "updated_at": created_at}
    customer = Customer(**shared, display_id=display_id, name=sample["name"], slug=slug, domain=domain, status=sample["status"])
    yield customer
    for place, (name, title) in enumerate(sample["contacts"]):
        email = f"{name.split()[0].lower()}@{domain}"
        yield Contact(**shared, customer_id=customer.id, name=name, email=email, title=title, is_primary=place == 0)
    for plan in sample.get("onboardings", ()):
        launch = (now // DAY_MS + plan["launch_in_days"]) * DAY_MS
        fields = {name: plan[name] for name in ("name", "phase", "state")}
        yield Onboarding(**shared, **fields, customer_id=customer.id, target_launch_date=launch)


def _space(sample: dict[str, Any], author: Member, space_id: str, now: int) -> Iterator[Row]:
    shared = {"workspace_id": author.workspace_id, "space_id": space_id}
    shared |= {"author_id": author.id, "author_name": author.name, "author_kind": "session"}
    written: list[Row] = [Message(**shared, body=body) for body in sample["messages"]]
    written += [Item(**shared, title=title, state=state, assignee_id=author.id) for title, state in sample["items"]]
    for age_hours, row in zip(range(len(written), 0, -1), written, strict=True):
        row.created_at = row.updated_at = now - age_hours * HOUR_MS
        yield row
