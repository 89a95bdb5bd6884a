"""What an installation has printed and stored in its whole life holds no secret; to print one where it is made is its purpose."""

import sqlite3
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest

from tests.secrets.search import found_below, found_in
from tests.secrets.story import TOKEN, Life

SECRET = "acme_7hTq0ZbX3mKd9RfVwY2cLpN5sGjE8a4u1Bv6"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """An installation at the end of a lively run; one of its two servers was killed."""
    life = Life(tmp_path_factory.mktemp("life"))
    life.live()
    return life


def test_run_was_lively(life: Life) -> None:
    assert len(life.secrets) == len(set(life.secrets)) == 3 + 2 + 2 * 8 + 2
    assert {200, 303, 400, 401, 403, 404, 500} <= life.statuses
    crashes = "\n".join(life.told).count("LookupError: Bearer atrium_")
    assert 2 == crashes, "inside and outside of the guard, with their messages"


def test_nothing_printed_holds_a_secret(life: Life) -> None:
    assert [] == found_in("\n".join(life.told).encode(), life.secrets)


def test_no_file_of_the_installation_holds_a_secret(life: Life) -> None:
    # The keys and the link that the demo printed in its one line: what it is for.
    assert {"demo.out": 4} == {file: len(heads) for file, heads in found_below(life.folder, life.secrets).items()}


def test_metrics_and_traces_told_of_the_whole_run_and_nothing_of_the_token(life: Life) -> None:
    assert 'keyrack_calls_total{code="key_in_url"' in life.metrics
    traces = (life.folder / "traces.otlp").read_bytes()
    assert b"/api/v1/customers" in traces
    assert b"key.revoked" in traces
    assert TOKEN not in "\n".join(life.told)
    assert [] == [path for path in life.folder.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]


def test_signing_key_stands_in_its_own_file_alone_which_only_its_owner_reads(life: Life) -> None:
    path = life.folder / "data" / "secret.key"
    assert 0o600 == path.stat().st_mode & 0o777
    key = path.read_bytes().strip()
    assert [path] == [file for file in life.folder.rglob("*") if file.is_file() and key in file.read_bytes()]
    assert key.decode() not in "\n".join(life.told)


def test_key_shaped_text_is_masked_in_the_log_that_keeps_the_rest(life: Life) -> None:
    """The calls with a key in path and user agent are there, told by the key's head."""
    head = life.secrets[0][: len("atrium_") + 4]
    paths = {line["path"] for line in life.operator_log if "***" in line["path"]}
    assert {f"/api/v1/customers/{head}***", f"/api/{head}***"} <= paths
    assert f"agent/1.0 ({head}***; {head}***)" in {line["user_agent"] for line in life.workspace_log}


def test_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    """Plain, as Basic credentials write it, and in pieces on several pages of a database."""
    (tmp_path / "plain").write_text(f"key={SECRET}.")
    (tmp_path / "basic").write_text(f"Basic {b64encode(SECRET.encode()).decode()}")
    with closing(sqlite3.connect(tmp_path / "pages.db")) as connection, connection:
        connection.executescript("PRAGMA page_size = 512; CREATE TABLE lines (text TEXT)")
        connection.executemany("INSERT INTO lines VALUES (?)", [(f"{'x' * before}{SECRET}{'x' * 999}",) for before in range(470, 512)])
    (tmp_path / "other").write_text(SECRET.swapcase())
    assert {"basic", "pages.db", "pages.db, read", "plain"} == set(found_below(tmp_path, [SECRET]))
