"""What a node serves: `keyrack serve tests.chaos.app:app`."""

from fastapi import FastAPI

from keyrack import Keyrack, Limit, Plan, Settings
from tests.hosts import BRAND, CATEGORIES, build_app

PLANS = (Plan("wide", "Wide", limits=(Limit("workspace", quota=100_000, window_seconds=1, burst=100_000),)),)


def build_rack(settings: Settings) -> Keyrack:
    """Return the rack of a node, or of whoever else works on the same database."""
    return Keyrack(settings, brand=BRAND, categories=CATEGORIES, plans=PLANS)


def build() -> FastAPI:
    """Return the app over the database that the environment names."""
    rack = build_rack(Settings())
    app = build_app(rack)
    rack.install(app)
    return app


def __getattr__(name: str) -> FastAPI:
    # Made when it is asked for: whoever imports this module for the rack alone has no database in the environment.
    if name != "app":
        raise AttributeError(name)
    app = globals()["app"] = build()
    return app
