"""Customers, contacts, and the numbers that customers are known by."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from atrium.database import Base, Row

FIRST_DISPLAY_ID = 245
"""Where the customers of a workspace begin to count: its very first customer need not look like it."""


class CustomerStatus(StrEnum):
    """How far a customer has come."""

    LEAD = "lead"
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    CHURNED = "churned"


class Customer(Row):
    """A customer of the workspace. It can be named by `id`, by `slug`, and by `display_id`, a small number of its workspace."""

    __tablename__ = "customers"
    __table_args__ = (
        UniqueConstraint("workspace_id", "slug"),
        UniqueConstraint("workspace_id", "display_id"),
        Index("customers_in_order", "workspace_id", "created_at", "id"),
        Index("customers_by_change", "workspace_id", "updated_at", "id"),
    )

    display_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(64))
    domain: Mapped[str | None] = mapped_column(String(253))
    status: Mapped[str] = mapped_column(String(20))


class Contact(Row):
    """A person at a customer. At most one of them is primary, which the index holds to be true."""

    __tablename__ = "contacts"
    __table_args__ = (
        Index("contacts_in_order", "customer_id", "created_at", "id"),
        Index("contacts_primary", "customer_id", unique=True, sqlite_where=text("is_primary"), postgresql_where=text("is_primary")),
    )

    customer_id: Mapped[str] = mapped_column(ForeignKey(Customer.id, ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    title: Mapped[str | None] = mapped_column(String(200))
    is_primary: Mapped[bool]


class DisplayCounter(Base):
    """The last display_id that a workspace gave out. It only grows, so no number comes back after a deletion."""

    __tablename__ = "display_counters"

    workspace_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
