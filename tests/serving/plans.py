"""The plans that tell whether limits and meters are exact. The host has them, and the test that makes workspaces under them."""

from dataclasses import replace

from keyrack import Limit, Meter, Plan
from keyrack.model.limits import DAY_SECONDS
from tests.hosts import PLANS

BURST = 200
"""What is admitted at once; the next call comes back in an hour."""
EXACT = Plan(
    "exact",
    "Exact",
    limits=(
        Limit("workspace", quota=1, window_seconds=3600, burst=BURST),
        Limit("daily", quota=400, window_seconds=DAY_SECONDS, per="integration"),
        Limit("key", quota=1, window_seconds=3600, burst=300, per="key"),
    ),
)
QUOTA = 150
METERED = Plan("metered", "Metered", meters={"messages": QUOTA})
MESSAGES = Meter("messages", "Messages")
SERVED = (*[replace(plan, meters={"messages": None}) for plan in (*PLANS, EXACT)], METERED)
