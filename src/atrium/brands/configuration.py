"""What is configured of Atrium."""

from dataclasses import dataclass

from keyrack import Brand


@dataclass(frozen=True, slots=True)
class Configuration:
    """A brand, and what it changes in Atrium's own part.

    `onboarding_name` is the name of an onboarding that was opened without one; `connects` offers accounts at Slack, Resend and Stripe.
    """

    brand: Brand
    onboarding_name: str = "Onboarding"
    connects: bool = False
