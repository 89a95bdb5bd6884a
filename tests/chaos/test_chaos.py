"""A cluster of real processes keeps its promises while nodes stop and links break: the short form of `make chaos`.

Four nodes, a primary and its standby. What is done to them, and how each answer is judged, is the same as in the long form.
"""

from pathlib import Path

import pytest
import uvloop

from tests.chaos import planted
from tests.chaos.history import History
from tests.chaos.play import Plan, play
from tests.chaos.report import Strength, lines

STRENGTH = Strength(changes=50, waited=10, races=10)
SHORT = Plan(60.0, STRENGTH, hands=16, calm_seconds=1.0, faults_between_calm=20, leases=(1.0, 1.0, 1.0, 0.5))
pytestmark = pytest.mark.timeout(400)


def _played(plan: Plan, folder: Path) -> History:
    return uvloop.run(play(plan, folder, lambda _history, _what: None))


def test_no_call_is_decided_on_an_old_right_and_no_change_is_late_whatever_happens_to_nodes_and_links(tmp_path: Path) -> None:
    history = _played(SHORT, tmp_path)
    assert [] == history.violations[:10]
    assert [] == list(STRENGTH.missing(history)), dict(lines(history))


@pytest.mark.parametrize("bug", ["decide without a lease"])
def test_a_planted_bug_is_found(bug: str, tmp_path: Path) -> None:
    assert _played(planted.plan(bug), tmp_path).stale
