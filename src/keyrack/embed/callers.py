"""The caller as a FastAPI dependency."""

from typing import Annotated

from fastapi import Depends

from keyrack.gate.callers import CurrentCaller
from keyrack.gate.requires import current_caller

Caller = Annotated[CurrentCaller, Depends(current_caller)]
"""Annotate a handler's parameter with this to get who is calling."""
