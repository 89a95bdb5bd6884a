"""Brands: the same Atrium, as two help pages describe it."""

from pathlib import Path

import pytest

from atrium.brands import BRANDS, named
from atrium.modules import MODULES, switched_on
from keyrack import Settings
from keyrack.manage import keys
from keyrack.model.principals import Mode
from keyrack.model.refusals import Refused
from tests.atrium.conftest import serving
from tests.atrium.host import Host


async def test_pivotal_names_its_keys_and_its_onboardings_as_the_quickstart_does(tmp_path: Path) -> None:
    async with serving(Settings(data=tmp_path), "pivotal") as served:
        host = await Host.create(*served)
        operator = await host.rack.workspaces.operator(host.workspace_id)
        test_key = await keys.create(host.rack.assembly.desk, operator, name="ci", mode=Mode.TEST)
        assert host.secret.startswith("pivotal_")
        assert test_key.secret.text.startswith("pivotal_test_")
        await host.post("/customers", {"name": "Aurora Outfitters"})
        assert "Loyalty launch" == (await host.post("/onboardings", {"customer_id": "245"})).json()["name"]
        assert "/customers" == (await host.client.get("/")).headers["location"]


async def test_pivot_has_one_key_per_integration_and_no_test_mode(tmp_path: Path) -> None:
    async with serving(Settings(data=tmp_path), "pivot") as served:
        host = await Host.create(*served)
        desk, operator = host.rack.assembly.desk, await host.rack.workspaces.operator(host.workspace_id)
        first = await keys.create(desk, operator, name="reporting")
        with pytest.raises(Refused, match="conflict"):
            await keys.create(desk, operator, name="second", integration_id=first.key.integration_id)
        with pytest.raises(Refused, match="no test keys"):
            await keys.create(desk, operator, name="ci", mode=Mode.TEST)
        assert first.secret.text.startswith("pivot_")


def test_unknown_brand_is_refused_with_the_list() -> None:
    with pytest.raises(ValueError, match="atrium, pivotal, pivot"):
        named("nobody")


def test_each_brand_has_keys_of_its_own() -> None:
    assert len(BRANDS) == len({configuration.brand.key_prefix for configuration in BRANDS.values()})


def test_module_that_there_is_not_is_refused_with_the_list() -> None:
    with pytest.raises(ValueError, match="known modules are customers, onboardings, spaces"):
        switched_on({"invoices"})
    assert MODULES == switched_on([module.name for module in MODULES])
