"""The host as `keyrack serve` runs it: it dies where a test has named a step."""

from typing import Any

from keyrack import Keyrack, Settings
from keyrack.api import keys
from tests.hosts import BRAND, CATEGORIES, PLANS
from tests.replays.host import Notes
from tests.serving.plans import EXACT

rack = Keyrack(Settings(), brand=BRAND, categories=CATEGORIES, plans=(*PLANS, EXACT))
notes = Notes(rack, rack.host_engine())
app = notes.app
rack.install(app)

_view: Any = keys.view_issued


def _view_or_die(*issued: Any) -> Any:
    # The key is committed here, and its answer is not.
    notes.die_at("changed")
    return _view(*issued)


setattr(keys, "view_issued", _view_or_die)  # noqa: B010
