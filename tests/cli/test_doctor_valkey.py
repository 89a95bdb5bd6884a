"""The doctor looks at the Valkey that counts limits, where there is one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyrack import Settings
from keyrack.cli.doctor import ERROR, OK, WARNING, Finding, _valkey
from tests.valkey import Server, serve


@pytest.fixture(scope="module")
def valkey() -> Iterator[Server]:
    """A server of this module's own."""
    with serve() as server:
        yield server


async def found(tmp_path: Path, url: str | None) -> Finding:
    """Have a server looked at."""
    return await _valkey(Settings.model_validate({"data": tmp_path, "valkey_url": url}))


async def test_a_valkey_that_counts_is_well_and_none_is_too(tmp_path: Path, valkey: Server) -> None:
    assert [OK, OK] == [(await found(tmp_path, url)).state for url in (valkey.url, None)]


async def test_a_valkey_that_forgets_when_it_is_full_is_told(tmp_path: Path, valkey: Server) -> None:
    valkey.command("CONFIG", "SET", "maxmemory", "100mb")
    valkey.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    one = await found(tmp_path, valkey.url)
    valkey.command("CONFIG", "SET", "maxmemory", "0")
    assert (WARNING, True) == (one.state, "noeviction" in one.detail)


async def test_a_valkey_that_is_away_or_refuses_is_an_error_that_tells_no_password(tmp_path: Path, valkey: Server) -> None:
    away = await found(tmp_path, f"unix://{tmp_path / 'nobody.sock'}")
    refused = await found(tmp_path, valkey.url.replace("unix://", "unix://someone:a-password@"))
    assert [ERROR, ERROR] == [away.state, refused.state]
    assert "share" in away.detail
    assert "a-password" not in refused.detail
