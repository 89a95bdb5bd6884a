"""What the page on webhooks shows checks deliveries as they are signed here, in Python and on Node, and its table is the schedule."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keyrack.crypto import webhooks
from keyrack.docs import page
from keyrack.docs.facts import Facts
from keyrack.docs.site import FOLDER
from keyrack.model.deliveries import SCHEDULE_SECONDS
from keyrack.model.endpoints import Signature
from tests.docs_site.test_blocks import Block, blocks
from tests.hosts import BRAND
from tests.npm import NODE, install

SDK = Path(__file__).parents[2] / "sdks" / "typescript"
BODY = json.dumps({"type": "customer.created", "data": {"name": "Søn"}}, ensure_ascii=False)


def shown() -> str:
    """The page as its readers get it."""
    return next(one.markdown for one in page.read(FOLDER / "pages", Facts(BRAND)) if one.slug == "guides/webhooks")


def receivers(language: str) -> list[Block]:
    """The programs of the page that check a delivery."""
    found = [block for block in blocks(shown()) if block.language == language and "receive" in block.text]
    assert 2 == len(found)
    return found


def delivery(secret: str) -> dict[str, str]:
    """The headers of a delivery of this moment."""
    now = int(time.time())
    return {"webhook-id": "e1", "webhook-timestamp": str(now), "webhook-signature": webhooks.sign(secret, "e1", now, BODY.encode())}


@pytest.mark.parametrize("place", [0, 1])
def test_python_of_the_page_checks_a_delivery(place: int) -> None:
    secret, other = (webhooks.mint(Signature.HMAC).secret.text for _ in range(2))
    for signed_by, outcome in ((secret, "customer.created"), (other, "WebhookVerificationError")):
        program = f"{receivers('python')[place].text}\nprint(receive({BODY.encode()!r}, {delivery(signed_by)!r}))"
        done = subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "WEBHOOK_SECRET": secret}, capture_output=True, text=True, check=False
        )
        assert outcome in done.stdout + done.stderr


@pytest.mark.parametrize("place", [0, 1])
def test_typescript_of_the_page_checks_a_delivery(place: int, tmp_path: Path) -> None:
    install(SDK)
    secret, other = (webhooks.mint(Signature.HMAC).secret.text for _ in range(2))
    text = receivers("typescript")[place].text.replace('"@keyrack/client"', f'"{SDK / "src" / "index.ts"}"')
    (tmp_path / "node_modules").symlink_to(SDK / "node_modules")
    for signed_by, outcome in ((secret, "customer.created"), (other, "WebhookVerificationError")):
        call = f"console.log(await receive({json.dumps(BODY)}, {json.dumps(delivery(signed_by))}));"
        (tmp_path / "receive.mts").write_text(f"{text}\n{call}\n")
        environment = {"PATH": str(NODE.parent), "WEBHOOK_SECRET": secret, "NO_COLOR": "1"}
        done = subprocess.run(
            [str(NODE), str(tmp_path / "receive.mts")], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert outcome in done.stdout + done.stderr, done.stderr


def test_table_of_attempts_is_the_schedule() -> None:
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", shown(), re.MULTILINE)
    assert [str(place) for place in range(1, len(SCHEDULE_SECONDS) + 1)] == [row[0] for row in rows]
    assert ("at once", "5 s", "5 min", "30 min", "2 h") == tuple(row[1] for row in rows[:5])
    assert ("24 h", "75 h 35 min") == rows[-1][1:]
