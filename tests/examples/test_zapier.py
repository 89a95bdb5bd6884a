"""The integration for Zapier passes its own tests in Zapier's harness, on Node, against a running demo that delivers to it."""

import re
import subprocess
from pathlib import Path

from keyrack.client import Client
from tests.npm import NODE, install
from tests.sdk.conftest import Demo

FOLDER = Path(__file__).parents[2] / "examples" / "zapier"
SECONDS_MAX = 110


def test_its_own_tests_pass(demo: Demo, admin: Client) -> None:
    install(FOLDER)
    environment = {
        "PATH": str(NODE.parent),
        "ATRIUM_URL": demo.url,
        "ATRIUM_KEY": admin.keys.create(name="Zapier", permissions={"customers": "write", "onboardings": "write"}).secret,
        "ATRIUM_WEAK_KEY": admin.keys.create(name="Weak", permissions={}).secret,
    }
    command = [str(NODE), "--test", "--test-reporter=tap", "test/atrium.test.js"]
    done = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert re.search(r"^# pass 14$", done.stdout, re.MULTILINE), done.stdout


def test_key_that_reads_is_enough_for_instant_triggers(demo: Demo, admin: Client) -> None:
    issued = admin.keys.create(name="Zapier", permissions={"customers": "read"})
    with Client(issued.secret, base_url=demo.url) as client:
        made = client.post("/endpoints", json={"url": "https://hooks.zapier.example/1/", "events": ["customer.created"]})
        assert issued.integration_id == made["integration_id"]
        client.delete(f"/endpoints/{made['id']}")
