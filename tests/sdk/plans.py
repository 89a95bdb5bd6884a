"""The plan that lets little through: the host has it, and the test that makes a workspace under it."""

from keyrack import Limit, Plan

NARROW = Plan("narrow", "Narrow", limits=(Limit("workspace", quota=1, window_seconds=1, burst=1),))
