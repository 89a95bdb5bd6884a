"""Atrium as on the page `pivot-integrations.txt`: integrations with one key each, org-level access and roles in spaces."""

from atrium.brands.configuration import WORK, Configuration
from keyrack import Brand, Words

PIVOT = Configuration(
    Brand(
        name="Pivot",
        key_prefix="pivot",
        test_mode=False,
        several_keys=False,
        edits_levels=False,
        webhooks=False,
        lists=("integrations",),
        navigation=("Organization Admin", "Integrations"),
        words=Words(workspace="organization", end="Delete"),
        personal_tokens=False,
        color="#0b7a6f",
        home="/customers",
        community="/community",
    ),
    modules=WORK | {"community"},
)
