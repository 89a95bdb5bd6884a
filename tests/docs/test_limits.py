"""What hosts read of limits, costs and meters is code that runs."""

import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from keyrack import Keyrack, Meter, Plan, Settings
from tests.hosts import BRAND, CATEGORIES

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()


def test_the_examples_run_as_they_stand(tmp_path: Path) -> None:
    names: dict[str, Any] = {"settings": Settings(data=tmp_path), "brand": BRAND, "router": APIRouter()}
    names["rack"] = Keyrack(Settings(data=tmp_path / "before"), brand=BRAND, categories=CATEGORIES)
    plan, cost, meters, existing, adding = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    exec(plan, names)
    exec(f"{cost}async def report() -> None: ...", names)
    exec(meters, names)
    exec(existing, names)
    assert isinstance(names["TEAM"], Plan)
    assert ["workspace", "daily", "integration", "key"] == [limit.name for limit in names["TEAM"].limits]
    assert 5 == names["router"].routes[0].dependant.dependencies[0].call.cost
    assert {"messages", "exports"} == set(names["rack"].meters)
    assert isinstance(names["ROWS"], Meter)
    compile(adding, "limits.md", "exec")
    assert "count(*)" in str(names["PROJECTS"].existing("org_a"))
