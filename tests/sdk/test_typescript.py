"""The TypeScript SDK: its types are those of the present document, and its own tests pass on Node beside a running demo."""

import json
import re
from pathlib import Path

import pytest

from tests.npm import install
from tests.sdk.conftest import Demo
from tests.sdk.schema import SCHEMA, SDK, generated, node

TSC = "node_modules/typescript/bin/tsc"


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    install(SDK)


def variables(demo: Demo) -> dict[str, str]:
    """Where the demo runs, for tests on Node."""
    return {"DEMO_URL": demo.url, "DEMO_LIVE_KEY": demo.live_key, "DEMO_ADMIN_KEY": demo.admin_key}


def test_types_are_those_of_the_present_document(tmp_path: Path) -> None:
    assert generated(tmp_path) == SCHEMA.read_text(), "write them anew: make sdk-types"


def test_it_compiles_strictly() -> None:
    assert "" == node(TSC, "--project", "tsconfig.json")


def test_its_own_tests_pass_beside_the_demo(demo: Demo) -> None:
    tests = sorted(f"test/{path.name}" for path in (SDK / "test").glob("*.test.ts"))
    printed = node("--test", "--test-reporter=tap", *tests, **variables(demo))
    assert len(tests) == 3
    assert re.search(r"^# fail 0$", printed, re.MULTILINE)


def test_built_package_is_what_it_exports(tmp_path: Path, demo: Demo) -> None:
    node(TSC, "--project", "tsconfig.build.json", "--noCheck", "--outDir", str(tmp_path / "dist"))
    described = json.loads((SDK / "package.json").read_text())
    (tmp_path / "package.json").write_text(json.dumps(described))
    (tmp_path / "node_modules").symlink_to(SDK / "node_modules")
    entries = [tmp_path / path for path in described["exports"]["."].values()]
    assert [True, True] == [path.is_file() for path in entries]
    program = (
        f"import {{ Client }} from {json.dumps(str(entries[1]))};"
        "const client = new Client({ apiKey: process.env.DEMO_LIVE_KEY, baseUrl: process.env.DEMO_URL });"
        "console.log((await client.me()).data.mode);"
    )
    assert "live\n" == node("--input-type=module", "--eval", program, **variables(demo))
