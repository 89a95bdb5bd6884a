"""Lists: pages that neither repeat nor skip, filters, and parameters that are refused."""

import pytest

from tests.atrium.host import Host


async def create_customers(host: Host, count: int) -> list[str]:
    """Create customers, the odd ones active, and return their ids, newest first."""
    bodies = [{"name": f"Customer {number}", "status": "active" if number % 2 else "lead"} for number in range(count)]
    return [(await host.post("/customers", body)).json()["id"] for body in bodies][::-1]


async def test_pages_hold_every_row_once_newest_first(host: Host) -> None:
    ids = await create_customers(host, 7)
    seen, path = [], "/customers?limit=3"
    while path:
        answer = await host.get(path)
        page = answer.json()
        seen += [row["id"] for row in page["data"]]
        assert ["object", "data", "has_more", "next_cursor", "next_url"] == list(page)
        assert page["has_more"] == ("next" in answer.links) == (page["next_cursor"] is not None)
        path = answer.links["next"]["url"] if page["has_more"] else ""
    assert ids == seen


async def test_page_after_a_deleted_anchor_goes_on_and_new_rows_do_not_shift_it(host: Host) -> None:
    ids = await create_customers(host, 6)
    first = (await host.get("/customers?limit=3")).json()
    await host.delete(f"/customers/{ids[2]}")
    await create_customers(host, 2)
    second = (await host.get(f"/customers?limit=3&cursor={first['next_cursor']}")).json()
    assert ids[3:] == [row["id"] for row in second["data"]]
    assert not second["has_more"]


async def test_default_page_has_25_rows(host: Host) -> None:
    await create_customers(host, 26)
    page = (await host.get("/customers")).json()
    assert (25, True) == (len(page["data"]), page["has_more"])
    assert 26 == len((await host.get("/customers?limit=100")).json()["data"])


async def test_filter_holds_over_pages_and_a_cursor_belongs_to_its_filters(host: Host) -> None:
    await create_customers(host, 6)
    page = (await host.get("/customers?status=active&limit=2")).json()
    rest = (await host.get(f"/customers?status=active&limit=2&cursor={page['next_cursor']}")).json()
    assert ["active"] * 3 == [row["status"] for row in page["data"] + rest["data"]]
    for path in ("/customers?limit=2", "/customers?status=lead&limit=2", "/onboardings?limit=2"):
        answer = await host.get(f"{path}&cursor={page['next_cursor']}")
        assert (400, "cursor_filter_mismatch", "cursor") == (answer.status_code, answer.json()["code"], answer.json()["param"])


async def test_cursor_of_another_workspace_is_refused(host: Host) -> None:
    await create_customers(host, 2)
    cursor = (await host.get("/customers?limit=1")).json()["next_cursor"]
    answer = await (await host.stranger()).get(f"/customers?cursor={cursor}")
    assert (400, "cursor") == (answer.status_code, answer.json()["param"])


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("cursor=forged", "cursor"),
        ("cursor=", "cursor"),
        ("starting_after=aurora", "starting_after"),
        ("starting_after=", "starting_after"),
        ("sort=status", "sort"),
        ("sort=-", "sort"),
        ("updated_after=yesterday", "updated_after"),
        ("page=2", "page"),
        ("Status=active", "Status"),
        ("status=", "status"),
        ("status=active&status=lead", "status"),
    ],
)
async def test_parameter_that_says_nothing_clear_is_a_400_that_names_it(host: Host, query: str, param: str) -> None:
    answer = await host.get(f"/customers?{query}")
    assert (400, "invalid_request", param) == (answer.status_code, answer.json()["code"], answer.json()["param"])


async def test_customers_come_in_each_order_both_ways(host: Host) -> None:
    ids = await create_customers(host, 3)
    await host.patch(f"/customers/{ids[1]}", {"name": "aurora"})
    await host.patch(f"/customers/{ids[2]}", {"name": "Zephyr"})
    orders = {"created_at": ids[::-1], "updated_at": [ids[0], ids[1], ids[2]], "name": [ids[1], ids[0], ids[2]]}
    for sort, expected in orders.items():
        for text, order in ((sort, expected), (f"-{sort}", expected[::-1])):
            seen, path = [], f"/customers?limit=1&sort={text}"
            while path:
                page = (await host.get(path)).json()
                seen += [row["id"] for row in page["data"]]
                path = page["next_url"]
            assert order == seen, text


async def test_what_was_changed_since_a_moment_is_listed_with_that_moment(host: Host) -> None:
    ids = await create_customers(host, 3)
    changed = (await host.patch(f"/customers/{ids[2]}", {"name": "Aurora"})).json()
    page = (await host.get(f"/customers?sort=updated_at&updated_after={changed['updated_at']}")).json()
    assert [changed["id"]] == [row["id"] for row in page["data"]]


async def test_plus_that_a_url_has_lost_is_told_of(host: Host) -> None:
    assert "%2B" in (await host.get("/customers?updated_after=2026-11-21T00:00:00+01:00")).json()["detail"]
    assert 200 == (await host.get("/customers?updated_after=2026-11-21T00:00:00%2B01:00")).status_code


async def test_list_goes_on_behind_an_id_of_the_workspace(host: Host) -> None:
    ids = await create_customers(host, 4)
    page = (await host.get(f"/customers?limit=2&starting_after={ids[0]}")).json()
    assert ids[1:3] == [row["id"] for row in page["data"]]
    assert "starting_after" not in page["next_url"]
    assert [ids[3]] == [row["id"] for row in (await host.get(page["next_url"])).json()["data"]]
    stranger = await host.stranger()
    await host.delete(f"/customers/{ids[3]}")
    for answer in (await stranger.get(f"/customers?starting_after={ids[0]}"), await host.get(f"/customers?starting_after={ids[3]}")):
        assert (400, "starting_after") == (answer.status_code, answer.json()["param"])


async def test_limit_out_of_range_is_a_400_that_names_the_range(host: Host) -> None:
    assert "1 to 100" in (await host.get("/customers?limit=101")).json()["detail"]
