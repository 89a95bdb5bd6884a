"""Onboardings as they are on the wire."""

from typing import Literal

from pydantic import MISSING

from atrium.examples import LAUNCH, NEW_LAUNCH
from atrium.fields import Body, Name, Reference, Time, TimeGiven, View, example
from atrium.onboardings.models import OnboardingPhase, OnboardingState
from keyrack import NamedQuery


class NewOnboarding(Body):
    """An onboarding to open. Without a name it gets the configured one."""

    model_config = example(NEW_LAUNCH)

    customer_id: Reference
    name: Name | None = None
    phase: OnboardingPhase = OnboardingPhase.BEFORE_GETTING_STARTED
    state: OnboardingState = OnboardingState.ACTIVE
    target_launch_date: TimeGiven | None = None


class OnboardingChanges(Body):
    """The fields of an onboarding that change."""

    model_config = example({"phase": "building"})

    name: Name | MISSING = MISSING
    phase: OnboardingPhase | MISSING = MISSING
    state: OnboardingState | MISSING = MISSING
    target_launch_date: TimeGiven | MISSING | None = MISSING


class OnboardingView(View):
    """An onboarding."""

    model_config = example(LAUNCH)

    object: Literal["onboarding"] = "onboarding"
    id: str
    customer_id: str
    name: str
    phase: OnboardingPhase
    state: OnboardingState
    target_launch_date: Time | None
    created_at: Time
    updated_at: Time


class OnboardingQuery(NamedQuery):
    """The filters of the list of onboardings. `customer_id` is a display_id, an id or a slug."""

    customer_id: Reference | None = None
    phase: OnboardingPhase | None = None
    state: OnboardingState | None = None
