"""Atrium as on the page `pivotal-quickstart.txt`: keys with a name and an environment, and full access for each."""

from atrium.brands.configuration import Configuration
from keyrack import Brand

PIVOTAL = Configuration(
    Brand(
        name="Pivotal",
        key_prefix="pivotal",
        all_by_default=True,
        edits_levels=False,
        edits_org_and_spaces=False,
        lists=("keys",),
        navigation=("Admin", "API Keys"),
        personal_tokens=False,
        color="#5b46d6",
        home="/customers",
    ),
    onboarding_name="Loyalty launch",
    connects=True,
)
