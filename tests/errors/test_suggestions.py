"""Who misspells a field or a parameter is told the right one, at any depth, and never a far-fetched one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrack.model.suggestions import closest
from tests.hosts import ADMIN_RIGHTS, Host
from tests.walk.problems import problem

Body = dict[str, Any]


async def errors_of(host: Host, path: str, body: Any) -> list[Body]:
    """Return the errors that a body gets."""
    answer = await host.send("POST", path, await host.key(ADMIN_RIGHTS, name="asking") if "keys" in path else await host.key(), json=body)
    found: list[Body] = problem(answer, 400, "invalid_request")["errors"]
    return found


@pytest.mark.parametrize(
    ("body", "param", "right"),
    [
        ({"target_launch_dat": "x"}, "target_launch_dat", "target_launch_date"),
        ({"targetLaunchDate": "x"}, "targetLaunchDate", "target_launch_date"),
        ({"launch_date": "x"}, "launch_date", "target_launch_date"),
        ({"titel": "x"}, "titel", "title"),
        ({"addresses": [{}, {"street_nam": "x"}]}, "addresses.1.street_nam", "street_name"),
        ({"addresses": [{"postal_code": "x"}]}, "addresses.0.postal_code", "postalCode"),
        ({"by_name": {"home": {"stret_name": "x"}}}, "by_name.home.stret_name", "street_name"),
        ({"way": {"kind": "phone", "phone_numer": "1"}}, "way.phone.phone_numer", "phone_number"),
        ({"way": {"kind": "mail", "address": {"streetname": "x"}}}, "way.mail.address.streetname", "street_name"),
        ({"tagged": {"colour_code": "x"}}, "tagged.colour_code", "color_code"),
        ({"size": {"widht_mm": 1}}, "size.widht_mm", "width_mm"),
    ],
)
async def test_misspelt_field_is_told_its_right_name(host: Host, body: Body, param: str, right: str) -> None:
    (error,) = await errors_of(host, "/api/v1/orders", body)
    assert (param, f"{param}: there is no such field; did you mean `{right}`?") == (error["param"], error["detail"])
    assert right in error["fix"]
    assert {"code", "param", "pointer", "detail", "fix"} == set(error)


@pytest.mark.parametrize("name", ["price", "x", "date", "id", "__", "target", "ti"])
async def test_field_that_is_like_none_is_told_to_be_left_out(host: Host, name: str) -> None:
    (error,) = await errors_of(host, "/api/v1/orders", {name: "x"})
    assert ("extra_forbidden", "Leave it out.") == (error["code"], error["fix"])
    assert "did you mean" not in error["detail"]


async def test_field_that_was_sent_rightly_too_is_not_suggested(host: Host) -> None:
    (error,) = await errors_of(host, "/api/v1/orders", {"title": "x", "titel": "y"})
    assert "Leave it out." == error["fix"]


async def test_body_of_several_parameters_is_read_by_their_names(host: Host) -> None:
    (error,) = await errors_of(host, "/api/v1/pairs", {"order": {"titel": "x"}, "address": {}})
    assert "order.titel: there is no such field; did you mean `title`?" == error["detail"]


async def test_misspelt_parameter_is_told_its_right_name(host: Host) -> None:
    answer = await host.get("/api/v1/orders?updated_afer=2026-01-01", await host.key())
    document = problem(answer, 400, "invalid_request")
    assert "updated_afer: there is no such parameter; did you mean `updated_after`?" == document["detail"]
    assert document["errors"][0]["pointer"] is None


async def test_management_api_suggests_as_well(host: Host) -> None:
    (error,) = await errors_of(host, "/api/v1/keys", {"name": "A", "expires_a": "2030-01-01T00:00:00Z"})
    assert "did you mean `expires_at`?" in error["detail"]
    admin = await host.key(ADMIN_RIGHTS, name="admin")
    body = {"name": "A", "spaces": [{"space_id": "c1", "rol": "viewer"}]}
    answer = await host.send("POST", "/api/v1/integrations", admin, json=body)
    assert "spaces.0.rol: there is no such field; did you mean `role`?" in problem(answer, 400, "invalid_request")["errors"][-1]["detail"]
    listed = await host.get("/api/v1/keys?mod=live", admin)
    assert "did you mean `mode`?" in problem(listed, 400, "invalid_request")["detail"]


async def test_pointer_is_one_whatever_the_field_is_called(host: Host) -> None:
    (error,) = await errors_of(host, "/api/v1/orders", {"by_name": {"a/b~c d": {"none": 1}}})
    assert "#/by_name/a~1b~0c%20d/none" == error["pointer"]
    (umlaut,) = await errors_of(host, "/api/v1/orders", {"größe": 1})
    assert "#/gr%C3%B6%C3%9Fe" == umlaut["pointer"]
    half = {"content": b'{"\\ud800": 1}', "headers": {"Content-Type": "application/json"}}
    problem(await host.send("POST", "/api/v1/orders", await host.key(), **half), 400, "invalid_request")


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=8))
def test_any_names_are_compared(name: str, known: list[str]) -> None:
    found = closest(name, known)
    assert found is None or found in known
    assert name not in known or not any(character.isalnum() for character in name) or len(name) > 100 or found is not None
