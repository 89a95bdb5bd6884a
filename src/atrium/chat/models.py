"""Chatbots, their sources and what was found in them, conversations, and leads."""

from enum import StrEnum
from typing import Any

from sqlalchemy import DDL, JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from atrium.database import Base, Row


class SourceKind(StrEnum):
    """What a source is made of."""

    TEXT = "text"
    MARKDOWN = "markdown"
    PDF = "pdf"
    HTML = "html"
    CSV = "csv"
    URL = "url"


class SourceStatus(StrEnum):
    """Whether a source answers already."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Channel(StrEnum):
    """Where a conversation takes place."""

    API = "api"
    WIDGET = "widget"
    CONSOLE = "console"


class Speaker(StrEnum):
    """Who of the two speaks."""

    VISITOR = "visitor"
    CHATBOT = "chatbot"


class Chatbot(Row):
    """One that answers from its sources. `fallback` is what it says where they hold nothing."""

    __tablename__ = "chatbots"
    __table_args__ = (
        Index("chatbots_in_order", "workspace_id", "created_at", "id"),
        Index("chatbots_by_change", "workspace_id", "updated_at", "id"),
    )

    name: Mapped[str] = mapped_column(String(200))
    greeting: Mapped[str] = mapped_column(Text)
    fallback: Mapped[str] = mapped_column(Text)


class Source(Row):
    """What a chatbot answers from: taken in by one process at a time, which has it until `claimed_until` (ms since the epoch).

    `attempt` counts who took it up; only the last one may finish it. `size_bytes` is that of the content.
    """

    __tablename__ = "chat_sources"
    __table_args__ = (
        Index("chat_sources_in_order", "workspace_id", "created_at", "id"),
        Index("chat_sources_by_change", "workspace_id", "updated_at", "id"),
        Index("chat_sources_of_chatbot", "chatbot_id", "created_at", "id"),
        Index(
            "chat_sources_pending",
            "created_at",
            "id",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
    )

    chatbot_id: Mapped[str] = mapped_column(ForeignKey(Chatbot.id, ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    url: Mapped[str | None] = mapped_column(String(2000))
    status: Mapped[str] = mapped_column(String(20), default=SourceStatus.PENDING)
    reason: Mapped[str | None] = mapped_column(String(500))
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    passages_count: Mapped[int] = mapped_column(Integer, default=0)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    claimed_until: Mapped[int] = mapped_column(BigInteger, default=0)


class Content(Base):
    """What was sent as a source, until it is taken in. Nobody ever gets it back."""

    __tablename__ = "chat_contents"

    source_id: Mapped[str] = mapped_column(ForeignKey(Source.id, ondelete="CASCADE"), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class Passage(Base):
    """A piece of a source that can be quoted. `place` says where in it; `terms` are its words as they are searched for."""

    __tablename__ = "chat_passages"
    __table_args__ = (Index("chat_passages_of_source", "source_id", "number"), Index("chat_passages_of_chatbot", "chatbot_id"))

    number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    workspace_id: Mapped[str] = mapped_column(String(40))
    chatbot_id: Mapped[str] = mapped_column(String(25))
    source_id: Mapped[str] = mapped_column(ForeignKey(Source.id, ondelete="CASCADE"))
    place: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    terms: Mapped[str] = mapped_column(Text)


class Conversation(Row):
    """What one visitor and a chatbot said. It stays when the chatbot goes: `chatbot_id` leads nowhere then."""

    __tablename__ = "chat_conversations"
    __table_args__ = (
        Index("chat_conversations_in_order", "workspace_id", "created_at", "id"),
        Index("chat_conversations_by_change", "workspace_id", "updated_at", "id"),
    )

    chatbot_id: Mapped[str] = mapped_column(String(25))
    channel: Mapped[str] = mapped_column(String(20))
    visitor_id: Mapped[str | None] = mapped_column(String(100))
    messages_count: Mapped[int] = mapped_column(Integer, default=0)


class ChatMessage(Row):
    """Something said in a conversation. `citations` and `found` are those of answers."""

    __tablename__ = "chat_messages"
    __table_args__ = (
        Index("chat_messages_in_order", "conversation_id", "created_at", "id"),
        Index("chat_messages_by_change", "conversation_id", "updated_at", "id"),
    )

    conversation_id: Mapped[str] = mapped_column(ForeignKey(Conversation.id, ondelete="CASCADE"))
    author: Mapped[str] = mapped_column(String(20))
    body: Mapped[str] = mapped_column(Text)
    citations: Mapped[list[dict[str, Any]]] = mapped_column(JSON().with_variant(JSONB(), "postgresql"), default=list)
    found: Mapped[bool | None]


class Lead(Row):
    """Somebody who left an address. It stays when the chatbot or the conversation goes."""

    __tablename__ = "chat_leads"
    __table_args__ = (
        Index("chat_leads_in_order", "workspace_id", "created_at", "id"),
        Index("chat_leads_by_change", "workspace_id", "updated_at", "id"),
    )

    chatbot_id: Mapped[str] = mapped_column(String(25))
    conversation_id: Mapped[str | None] = mapped_column(String(25))
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str | None] = mapped_column(String(200))


# Terms are words of letters and digits with blanks between them, made by ourselves. So neither database reads them in its own way: `ascii`
# parts them at blanks and takes whatever is no ASCII as a letter, and PostgreSQL gets them as an array.
_SQLITE_SEARCH = (
    "CREATE VIRTUAL TABLE chat_passages_search USING fts5(terms, content='chat_passages', content_rowid='number', tokenize='ascii')",
    """
    CREATE TRIGGER chat_passages_added AFTER INSERT ON chat_passages BEGIN
        INSERT INTO chat_passages_search(rowid, terms) VALUES (new.number, new.terms);
    END
    """,
    """
    CREATE TRIGGER chat_passages_gone AFTER DELETE ON chat_passages BEGIN
        INSERT INTO chat_passages_search(chat_passages_search, rowid, terms) VALUES ('delete', old.number, old.terms);
    END
    """,
)
_POSTGRESQL_SEARCH = "CREATE INDEX chat_passages_search ON chat_passages USING gin (array_to_tsvector(string_to_array(terms, ' ')))"
for _dialect, _statements in (("sqlite", _SQLITE_SEARCH), ("postgresql", (_POSTGRESQL_SEARCH,))):
    for _statement in _statements:
        _made = DDL(_statement)  # type: ignore[no-untyped-call]
        event.listen(Passage.__table__, "after_create", _made.execute_if(dialect=_dialect))
