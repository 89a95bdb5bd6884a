"""What is configured of Atrium."""

from dataclasses import dataclass

from keyrack import Brand


@dataclass(frozen=True, slots=True)
class Configuration:
    """A brand, and what it changes in Atrium's own part.

    `onboarding_name` is the name of an onboarding that was opened without one. `first_display_id` is where a workspace's customers begin
    to count: a product's very first customer need not look like it.
    """

    brand: Brand
    onboarding_name: str = "Onboarding"
    first_display_id: int = 245
