"""What docs/sdks.md shows is code that runs, beside the demo."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from keyrack import client
from tests.npm import install
from tests.sdk.conftest import Demo
from tests.sdk.schema import SDK, node

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sdks.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def blocks(language: str, demo: Demo) -> list[str]:
    """The page's blocks in a language, for the running demo."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    told = {"atrium_REPLACE_ME": demo.live_key, "https://my.atrium.example": demo.url, "whsec_OLD": SECRET, "whsec_NEW": SECRET}
    return [re.sub("|".join(map(re.escape, told)), lambda one: told[one[0]], block) for block in found]


def test_python_runs_as_it_stands(demo: Demo, capsys: Any) -> None:
    first, waiting, errors, webhooks = blocks("python", demo)
    names: dict[str, Any] = {}
    exec(first, names)
    assert "Demo live key" in capsys.readouterr().out
    exec(waiting, names)
    assert "Aurora Outfitters" in asyncio.run(names["names"]())
    exec(errors, names)
    assert "invalid_request" in capsys.readouterr().out
    exec(webhooks, names)
    signature = client.webhooks.sign("{}", "msg_1", 1, SECRET)
    stale = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": signature}
    assert 400 == names["receive"](b"{}", stale)
    names["client"].close()


def test_typescript_has_the_right_types_and_runs_as_it_stands(demo: Demo, tmp_path: Path) -> None:
    install(SDK)
    files = [tmp_path / f"block{number}.secret.mts" for number in range(3)]
    for file, block in zip(files, blocks("ts", demo), strict=True):
        file.write_text(block.replace('"@keyrack/client"', f'"{SDK}/src/index.ts"'))
    options = json.loads((SDK / "tsconfig.json").read_text())["compilerOptions"]
    options |= {"typeRoots": [f"{SDK}/node_modules/@types"], "skipLibCheck": True}
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": list(map(str, files))}))
    assert "" == node("node_modules/typescript/bin/tsc", "--project", str(tmp_path / "tsconfig.json"))
    printed = [node(str(file)) for file in files]
    assert "Demo live key" in printed[0]
    assert "invalid_request" in printed[1]
    assert "" == printed[2]


def test_every_public_name_of_an_error_is_told() -> None:
    errors = [name for name in client.__all__ if name.endswith("Error")]
    assert [] == [name for name in errors if f"`{name}`" not in PAGE and name not in PAGE]
