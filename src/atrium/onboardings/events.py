"""What happens to onboardings."""

from atrium.onboardings.schemas import OnboardingView
from keyrack import EventType

ONBOARDING_CREATED = EventType("onboarding.created", OnboardingView)
ONBOARDING_UPDATED = EventType("onboarding.updated", OnboardingView)
ONBOARDING_DELETED = EventType("onboarding.deleted", OnboardingView)

ONBOARDING_EVENTS = [ONBOARDING_CREATED, ONBOARDING_UPDATED, ONBOARDING_DELETED]
