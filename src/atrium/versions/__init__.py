"""What has changed in Atrium's API, one file for each change: its code knows today's shapes alone. Each stands in its module's list."""

from atrium.versions.onboardings_have_phases import ONBOARDINGS_HAVE_PHASES

FIRST_VERSION = "2026-05-26"

__all__ = ["FIRST_VERSION", "ONBOARDINGS_HAVE_PHASES"]
