"""What is configured of Atrium."""

from dataclasses import dataclass

from keyrack import Brand, Limit, Plan

LIMITS = (Limit("workspace", quota=1000, window_seconds=1, burst=5000),)
PLANS = (Plan("team", "Team", limits=LIMITS), Plan("free", "Free", api_access=False, limits=LIMITS))
WORK = frozenset({"customers", "onboardings", "spaces"})
"""The modules for working with customers."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A brand, and what it changes in Atrium's own part.

    `modules` are the parts of Atrium that are there, by the names in `atrium.modules`: of any other neither operation, page, category nor
    event exists. `plans` are what workspaces can have, the default first; quotas of meters are the modules'. `onboarding_name` is the name
    of an onboarding that was opened without one; `connects` offers accounts at Slack, Resend and Stripe for customers and onboardings.
    `second_plan` is the plan of a second workspace that `keyrack demo` makes, where there is something to see on it.
    """

    brand: Brand
    modules: frozenset[str] = WORK
    plans: tuple[Plan, ...] = PLANS
    onboarding_name: str = "Onboarding"
    connects: bool = False
    second_plan: str = ""
