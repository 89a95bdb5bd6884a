"""Messages and items. The spaces themselves, and who is in them, are Keyrack's."""

from enum import StrEnum

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from atrium.database import Row


class ItemState(StrEnum):
    """How far an item has come."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"


class SpaceRow(Row):
    """A thing in a space. It keeps its author's name as it was at the time."""

    __abstract__ = True

    space_id: Mapped[str] = mapped_column(String(40))
    author_id: Mapped[str] = mapped_column(String(40))
    author_name: Mapped[str] = mapped_column(String(200))
    author_kind: Mapped[str] = mapped_column(String(20))

    @property
    def author(self) -> dict[str, str]:
        """Who wrote it."""
        return {"id": self.author_id, "name": self.author_name, "kind": self.author_kind}


class Message(SpaceRow):
    """Something said in a space."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_in_order", "workspace_id", "space_id", "created_at", "id"),
        Index("messages_by_change", "workspace_id", "space_id", "updated_at", "id"),
    )

    body: Mapped[str] = mapped_column(Text)


class Item(SpaceRow):
    """Something to do in a space, perhaps by somebody: `assignee_id` is a member."""

    __tablename__ = "items"
    __table_args__ = (
        Index("items_in_order", "workspace_id", "space_id", "created_at", "id"),
        Index("items_by_change", "workspace_id", "space_id", "updated_at", "id"),
    )

    title: Mapped[str] = mapped_column(String(200))
    assignee_id: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))
