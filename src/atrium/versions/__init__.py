"""What has changed in Atrium's API, one module for each change: its code knows today's shapes alone."""

from atrium.versions.onboardings_have_phases import ONBOARDINGS_HAVE_PHASES

FIRST_VERSION = "2026-05-26"
CHANGES = [ONBOARDINGS_HAVE_PHASES]

__all__ = ["CHANGES", "FIRST_VERSION"]
