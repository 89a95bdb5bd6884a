"""Atrium as on the page `pinpoint-api-keys.txt`: named keys with levels by category, whose values an admin can see again."""

from atrium.brands.configuration import Configuration
from keyrack import Brand, Words

PINPOINT = Configuration(
    Brand(
        name="Pinpoint",
        key_prefix="pinpoint",
        test_mode=False,
        edits_org_and_spaces=False,
        reveals=True,
        lists=("keys",),
        words=Words(name="key name", create="Create new", end="Delete"),
        personal_tokens=False,
        color="#c2255c",
        home="/customers",
    ),
)
