"""Atrium as itself: everything on."""

from atrium.brands.configuration import WORK, Configuration
from keyrack import Brand

ATRIUM = Configuration(
    Brand(
        name="Atrium",
        key_prefix="atrium",
        all_by_default=True,
        home="/customers",
        community="/community",
        support_email="support@atrium.example",
        support_url="https://atrium.example/support",
        status_url="https://status.atrium.example",
    ),
    modules=WORK | {"chat", "community"},
    connects=True,
)
