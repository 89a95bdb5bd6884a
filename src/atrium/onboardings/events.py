"""What happens to onboardings."""

from atrium.onboardings.schemas import OnboardingView
from keyrack import EventType

ONBOARDING_CREATED = EventType("onboarding.created", OnboardingView, "An onboarding was created.", category="onboardings")
ONBOARDING_UPDATED = EventType("onboarding.updated", OnboardingView, "An onboarding was changed.", category="onboardings")
ONBOARDING_DELETED = EventType("onboarding.deleted", OnboardingView, "An onboarding was deleted.", category="onboardings")

ONBOARDING_EVENTS = [ONBOARDING_CREATED, ONBOARDING_UPDATED, ONBOARDING_DELETED]
