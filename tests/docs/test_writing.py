"""What hosts read of writing in their own tables is a host that runs."""

import re
from pathlib import Path
from typing import Any

import pytest

from keyrack.manage import events
from tests.hosts import ALL_RIGHTS, client_of, living

PAGE = (Path(__file__).parents[2] / "docs" / "writing.md").read_text()


async def test_the_example_is_a_host_whose_calls_happen_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYRACK_DATA", str(tmp_path))
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"__name__": "shop"}
    exec(example, names)
    rack = names["rack"]
    async with living(names["app"]), client_of(rack, names["app"]) as host:
        key = await host.key(ALL_RIGHTS)
        answers = [
            await host.send("POST", "/api/v1/orders", key, headers={"Idempotency-Key": "1"}, json={"item": "Teapot"}) for _ in range(2)
        ]
        assert [201, 201] == [answer.status_code for answer in answers]
        assert answers[0].content == answers[1].content
        told = [event for event in await events.page(rack.assembly.desk, host.owner, limit=100) if event.type == "order.created"]
    assert [answers[0].json()] == [dict(event.data) for event in told]
