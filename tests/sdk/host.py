"""A host whose plan lets little through, as `keyrack serve` runs it in these tests."""

from keyrack import Keyrack, Settings
from tests.hosts import BRAND, CATEGORIES, build_app
from tests.sdk.plans import NARROW

rack = Keyrack(Settings(), brand=BRAND, categories=CATEGORIES, plans=[NARROW])
app = build_app(rack)
rack.install(app)
