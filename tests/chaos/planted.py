"""The same node with a bug in its protocol: `keyrack serve tests.chaos.planted:app`, with the bug's name in the environment.

The bugs are those that the simulation searches for. They are put in the place of the real parts before the node is assembled.
"""

import os
import sys
from typing import Any

from fastapi import FastAPI

from keyrack import assemble
from keyrack.feed import postgresql
from keyrack.feed.cache import Start
from keyrack.feed.postgresql import PostgresqlFeed
from tests.chaos.app import build
from tests.chaos.play import Plan
from tests.chaos.report import Strength
from tests.feed.simulation.planted_leases import AcknowledgesFirst, KeepsCacheOnJoin, WaitsTooShort

APP = "tests.chaos.planted:app"
VARIABLE = "PLANTED_BUG"
SECONDS_MAX = 120.0


class NeedsNoLease(PostgresqlFeed):
    """Believes its memory, whether it holds a lease or not."""

    def current(self) -> bool:
        """Always."""
        return self._cache.applied >= 0

    async def begin(self) -> Start:
        """At once."""
        return self._cache.start()


BUGS: dict[str, tuple[Any, str, type[Any]]] = {
    "decide without a lease": (assemble, "PostgresqlFeed", NeedsNoLease),
    "acknowledge before evicting": (postgresql, "Lease", AcknowledgesFirst),
    "wait for less than a lease": (postgresql, "Settling", WaitsTooShort),
    "keep the cache when joining anew": (postgresql, "Lease", KeepsCacheOnJoin),
}

# What each of them goes wrong under: the search need not wait for its turn.
FAULTS: dict[str, tuple[str, ...]] = {
    "decide without a lease": ("long pause", "cut to the database", "cut both ways"),
    "acknowledge before evicting": ("slow link",),
    "wait for less than a lease": ("cut to the database", "cut from the database", "cut both ways"),
    "keep the cache when joining anew": ("reset", "restart of the database"),
}


def plan(bug: str) -> Plan:
    """Return what is played to find a bug."""
    return Plan(
        SECONDS_MAX,
        Strength(changes=sys.maxsize),
        hands=16,
        calm_seconds=0.5,
        faults_between_calm=sys.maxsize,
        leases=(1.0,),
        has_standby=False,
        app=APP,
        environment={VARIABLE: bug},
        faults=FAULTS[bug],
        stops_when_stale=True,
    )


def __getattr__(name: str) -> FastAPI:
    if name != "app":
        raise AttributeError(name)
    module, part, bug = BUGS[os.environ[VARIABLE]]
    setattr(module, part, bug)
    app = globals()["app"] = build()
    return app
