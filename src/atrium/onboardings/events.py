"""What happens to onboardings."""

from atrium.onboardings.schemas import OnboardingView
from keyrack import EventType

ONBOARDING_CREATED = EventType("onboarding.created", OnboardingView, category="onboardings")
ONBOARDING_UPDATED = EventType("onboarding.updated", OnboardingView, category="onboardings")
ONBOARDING_DELETED = EventType("onboarding.deleted", OnboardingView, category="onboardings")

ONBOARDING_EVENTS = [ONBOARDING_CREATED, ONBOARDING_UPDATED, ONBOARDING_DELETED]
