"""Servers are killed in the middle of deliveries: the short form of `make webhooks`. What is done, and judged, is the same."""

from pathlib import Path

import pytest
import uvloop

from tests.backends import Backend
from tests.deliveries.kills import Plan, play

SHORT = Plan(events=300, kills=3, deletions=6, hanging=0.0)
pytestmark = pytest.mark.timeout(300)


def test_every_event_arrives_and_nothing_begins_after_a_deletion_whatever_is_killed(empty_backend: Backend, tmp_path: Path) -> None:
    url = None if empty_backend.dialect == "sqlite" else empty_backend.url
    history = uvloop.run(play(SHORT, tmp_path, url))
    told = dict(history.lines())
    assert (set(), [], 0) == (history.missing, history.late, history.unsigned), told
    assert (3, 6) == (history.kills, len(history.deleted)), told
    assert len(history.created) >= SHORT.events, told
