"""The management API: JSON under /api/v1, for programs. What each operation needs stands in docs/management-api.md."""

from keyrack.api.app import build
from keyrack.api.health import build_health

__all__ = ["build", "build_health"]
