"""Atrium as on the page `pipedrive-token-revocation.txt`: each member's own token, under Personal preferences, and no keys."""

from atrium.brands.configuration import Configuration
from keyrack import Brand, Words

PIPEDRIVE = Configuration(
    Brand(
        name="Pipedrive",
        key_prefix="pipedrive",
        test_mode=False,
        webhooks=False,
        lists=(),
        navigation=("Settings", "Personal preferences"),
        words=Words(workspace="company", docs="Developer's Corner", reference="API Endpoints"),
        color="#017737",
        home="/customers",
    ),
)
