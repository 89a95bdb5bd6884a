"""The community's threads, replies and follows; where its workspace is; and how much of it somebody took."""

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from atrium.database import Base, Row

HOME_ID = "community"


class CommunityHome(Base):
    """The one row that says which workspace is the community's. Its slug is chosen before there is one: of many processes one makes it."""

    __tablename__ = "community_homes"

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    slug: Mapped[str] = mapped_column(String(64))
    workspace_id: Mapped[str | None] = mapped_column(String(40))
    is_ready: Mapped[bool]


class CommunityPlace(Base):
    """Which of the workspace's spaces is which of the community's."""

    __tablename__ = "community_places"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    space_id: Mapped[str] = mapped_column(String(40))


class PostRow(Row):
    """What somebody wrote, under the name they had then. `author_id` is a person, so that it stays theirs when they come again.

    `by_staff` says that the team wrote it; the changelog has no author. Nobody but the team sees what has `hidden_at`.
    """

    __abstract__ = True

    body: Mapped[str] = mapped_column(Text)
    author_id: Mapped[str] = mapped_column(String(40), default="")
    author_name: Mapped[str] = mapped_column(String(200))
    by_staff: Mapped[bool]
    hidden_at: Mapped[int | None] = mapped_column(BigInteger)


class Thread(PostRow):
    """Something said, and what others replied. `active_at` is when the newest of it was written.

    Nobody replies to a thread with `locked_at`. One with `deleted_at` is gone, and its row stays, so that an `entry` of the changelog is
    posted once.
    """

    __tablename__ = "community_threads"
    __table_args__ = (
        Index("community_threads_in_order", "workspace_id", "space_id", "active_at", "id"),
        Index("community_threads_of_author", "workspace_id", "space_id", "author_id", "active_at", "id"),
    )

    space_id: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    active_at: Mapped[int] = mapped_column(BigInteger)
    replies: Mapped[int] = mapped_column(default=0)
    locked_at: Mapped[int | None] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)
    entry: Mapped[str | None] = mapped_column(String(400), unique=True)


class Reply(PostRow):
    """What somebody answered."""

    __tablename__ = "community_replies"
    __table_args__ = (Index("community_replies_in_order", "thread_id", "created_at", "id"),)

    thread_id: Mapped[str] = mapped_column(ForeignKey(Thread.id, ondelete="CASCADE"))


class Follow(Base):
    """A person who gets mail about a thread: at `due_at`, about the replies since `told_at`; the last one went at `mailed_at`."""

    __tablename__ = "community_follows"
    __table_args__ = (Index("community_follows_due", "due_at"), Index("community_follows_of_person", "person_id"))

    thread_id: Mapped[str] = mapped_column(ForeignKey(Thread.id, ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    told_at: Mapped[int] = mapped_column(BigInteger)
    mailed_at: Mapped[int] = mapped_column(BigInteger, default=0)
    due_at: Mapped[int | None] = mapped_column(BigInteger)


class Participant(Base):
    """How much a person wrote in an hour, and how much mail they got in a day, each by its number since the epoch.

    Whoever counts locks the row first, so it also keeps apart what one person does at the same moment.
    """

    __tablename__ = "community_participants"

    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    hour: Mapped[int] = mapped_column(BigInteger, default=0)
    posts: Mapped[int] = mapped_column(default=0)
    day: Mapped[int] = mapped_column(BigInteger, default=0)
    mails: Mapped[int] = mapped_column(default=0)
