"""The call's line in the request log, appended to the local spool before its answer is complete (CONSISTENCY §8)."""
