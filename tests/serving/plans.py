"""The plan that tells whether a limit is exact. The host has it, and the test that makes workspaces under it."""

from keyrack import Limit, Plan

BURST = 200
"""What is admitted at once; the next call comes back in an hour."""
EXACT = Plan("exact", "Exact", limits=(Limit("workspace", quota=1, window_seconds=3600, burst=BURST),))
