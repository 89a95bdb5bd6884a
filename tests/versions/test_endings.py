"""Old versions and operations are announced as deprecated (RFC 9745), and to end (RFC 8594), and then they do."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import http_sf
import pytest

from keyrack import DeprecatedOperation, VersionChange
from tests.hosts import ADMIN_RIGHTS
from tests.versions.conftest import FIRST, NEWEST, RENAMED, SPLIT, SUNSET, Changed
from tests.walk.problems import problem

PATH = "/api/v1/orders/o1"
PAGE = '<http://acme.test/docs/changelog>; rel="{}"; type="text/html"'


async def test_rfc_9745_section_2_deprecation_is_a_date_of_structured_fields(changed: Changed) -> None:
    key = await changed.host.key()
    for version, day in ((FIRST, datetime(2026, 2, 1, tzinfo=UTC)), (SPLIT, datetime(2026, 4, 1, tzinfo=UTC))):
        answer = await changed.host.get(PATH, key, headers={"Api-Version": version})
        (told,) = answer.headers.get_list("deprecation")
        item: Any = http_sf.parse(told.encode(), tltype="item")
        assert (day, {}) == item
        assert PAGE.format("deprecation") in answer.headers.get_list("link")
    for version in (RENAMED, NEWEST):
        answer = await changed.host.get(PATH, key, headers={"Api-Version": version})
        assert not {"deprecation", "sunset", "link"} & set(answer.headers)


async def test_rfc_8594_section_3_sunset_is_an_http_date(changed: Changed) -> None:
    answer = await changed.host.get(PATH, await changed.key_at(FIRST))
    assert "Fri, 01 Jan 2027 00:00:00 GMT" == answer.headers["sunset"]
    assert SUNSET / 1000 == parsedate_to_datetime(answer.headers["sunset"]).timestamp()
    assert PAGE.format("sunset") in answer.headers.get_list("link")
    later = await changed.host.get(PATH, await changed.key_at(SPLIT))
    assert "sunset" not in later.headers


async def test_deprecated_operation_says_so_at_every_version(changed: Changed) -> None:
    key = await changed.host.key()
    for version, date in ((NEWEST, "@1780272000"), (FIRST, "@1769904000")):
        answer = await changed.host.get("/api/v1/old-orders", key, headers={"Api-Version": version})
        assert (200, date) == (answer.status_code, answer.headers["deprecation"])
        assert "Fri, 01 Jan 2027 00:00:00 GMT" == answer.headers["sunset"]


async def test_refusals_of_deprecated_calls_say_so_too(changed: Changed) -> None:
    answer = await changed.host.send("POST", "/api/v1/orders", await changed.key_at(FIRST), json={})
    problem(answer, 400, "invalid_request")
    assert {"deprecation", "sunset"} < set(answer.headers)


async def test_version_ends_with_its_sunset_and_its_callers_are_told_what_to_do(changed: Changed) -> None:
    host, key = changed.host, await changed.key_at(FIRST)
    host.clock.set(SUNSET - 1)
    assert 200 == (await host.get(PATH, key)).status_code
    host.clock.set(SUNSET)
    answer = await host.get(PATH, key)
    document = problem(answer, 410, "version_ended")
    assert [FIRST, SPLIT, RENAMED, NEWEST] == document["versions"]
    assert "Fri, 01 Jan 2027 00:00:00 GMT" == answer.headers["sunset"]
    assert 200 == (await host.get(PATH, key, headers={"Api-Version": SPLIT})).status_code
    problem(await host.get("/api/v1/old-orders", await host.key()), 410, "version_ended")


async def test_no_key_is_pinned_to_a_version_that_has_ended(changed: Changed) -> None:
    host = changed.host
    admin, made = await host.key(ADMIN_RIGHTS, name="admin"), await host.key()
    host.clock.set(SUNSET)
    answer = await host.send("PATCH", f"/api/v1/keys/{made.key.id}", admin, json={"api_version": FIRST})
    assert "The version 2026-01-01 has ended." == problem(answer, 400, "unknown_version")["detail"]


def test_end_that_comes_before_its_deprecation_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="sunset 2026-01-01"):
        VersionChange(date="2026-06-01", title="", description="", deprecated="2026-06-01", sunset="2026-01-01")
    with pytest.raises(ValueError, match="sunset"):
        VersionChange(date="2026-06-01", title="", description="", sunset="2027-01-01")
    with pytest.raises(ValueError, match="sunset"):
        DeprecatedOperation(date="2026-06-01", title="", description="", operation="GET /api/v1/x", sunset="2026-01-01")
