"""Onboardings."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from atrium.customers.models import Customer
from atrium.database import Row


class OnboardingPhase(StrEnum):
    """How far an onboarding has come."""

    BEFORE_GETTING_STARTED = "before_getting_started"
    GETTING_STARTED = "getting_started"
    BUILDING = "building"
    TESTING = "testing"
    LAUNCHED = "launched"


class OnboardingState(StrEnum):
    """Whether anybody works on it."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Onboarding(Row):
    """A customer's way to its launch. `target_launch_date` is ms since the epoch."""

    __tablename__ = "onboardings"
    __table_args__ = (
        Index("onboardings_in_order", "workspace_id", "created_at", "id"),
        Index("onboardings_by_change", "workspace_id", "updated_at", "id"),
        Index("onboardings_of_customer", "customer_id", "created_at", "id"),
    )

    customer_id: Mapped[str] = mapped_column(ForeignKey(Customer.id, ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    phase: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(20))
    target_launch_date: Mapped[int | None] = mapped_column(BigInteger)
