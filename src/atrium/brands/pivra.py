"""Atrium as on the page `pivra-api-keys.txt`: chat, with labelled keys for all of it, from the Starter plan on."""

from atrium.brands.configuration import LIMITS, Configuration
from keyrack import Brand, Plan, Words

PIVRA = Configuration(
    Brand(
        name="Pivra",
        key_prefix="pivra_sk",
        public_prefix="pivra",
        test_mode=False,
        all_by_default=True,
        edits_levels=False,
        edits_org_and_spaces=False,
        personal_tokens=False,
        webhooks=False,
        lists=("keys",),
        navigation=("Settings", "Security"),
        section="API Keys",
        creates_in_place=True,
        words=Words(workspace="account", name="label", create="Create"),
        color="#a8327e",
        support_email="support@pivra.ai",
        home="/chatbots",
    ),
    modules=frozenset({"chat"}),
    plans=(
        Plan("starter", "Starter", limits=LIMITS),
        Plan("pro", "Pro", limits=LIMITS, log_days=90),
        Plan("free", "Free", api_access=False, limits=LIMITS),
    ),
    second_plan="free",
)
