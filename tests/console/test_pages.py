"""What every page of the console is: readable without JavaScript, closed to other sites, and kept by nobody on the way."""

import pytest

from keyrack.console import sign_in_url
from keyrack.console.headers import POLICY
from keyrack.crypto.format import mint
from tests.console.browser import Page
from tests.console.visitors import SIGN_IN, Office

PATHS = [
    "/console",
    "/console/api",
    "/console/keys",
    "/console/keys/new",
    "/console/integrations",
    "/console/integrations/new",
    "/console/spaces",
    "/console/spaces/new",
    "/console/members",
    "/console/invitations",
    "/console/invitations/new",
    "/console/invitation",
    "/console/preferences",
    "/console/workspaces",
    "/console/leave",
    "/console/settings",
    "/console/usage",
    "/console/settings/revealing",
    "/console/forgot",
    "/console/new-password",
    "/console/set-up",
    "/console/portal",
    "/console/openid/callback",
    SIGN_IN,
    f"{SIGN_IN}?link=acme_link_x",
    "/console/sign-out",
    "/console/nothing",
    "/console/",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["Ada", "Cy", None])
async def test_every_page_is_sound_html_and_needs_nothing_that_the_policy_forbids(showroom: Office, path: str, name: str | None) -> None:
    browser = await (showroom.signed_in(name) if name else showroom.browser())
    page = await browser.open(path)
    (html,) = page.root.all("html")
    assert "en" == html.attributes["lang"]
    assert [1, 1, 1] == [len(page.root.all(tag)) for tag in ("title", "main", "h1")]
    assert {"style", "iframe", "object"}.isdisjoint(one.tag for one in page.root.all())
    assert all({"type", "src"} == set(script.attributes) and not script.text for script in page.root.all("script"))
    assert not [name for one in page.root.all() for name in one.attributes if name == "style" or name.startswith(("on", "data-hx-on"))]
    ids = [one.attributes["id"] for one in page.root.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    assert {one.attributes["aria-labelledby"] for one in page.root.all() if "aria-labelledby" in one.attributes} <= set(ids)
    loaded = {one.attributes.get("href") or one.attributes["src"] for one in page.root.all("link", "script", "img")}
    for address in loaded:
        assert 200 == (await browser.client.get(address)).status_code, address


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
async def test_every_answer_says_what_browsers_must_not_do(showroom: Office, method: str, path: str) -> None:
    answer = await (await showroom.browser()).client.request(method, path)
    assert POLICY == answer.headers["content-security-policy"]
    assert POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in POLICY
    assert {"form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} < set(POLICY.split("; "))
    assert "no-store" == answer.headers["cache-control"]
    assert "no-referrer" == answer.headers["referrer-policy"]
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/console/nothing", 404), ("PUT", "/console/api", 405), ("GET", "/console", 401)]
)
async def test_a_refusal_is_a_page_that_people_can_read(showroom: Office, method: str, path: str, status: int) -> None:
    answer = await (await showroom.browser()).client.request(method, path)
    assert (status, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    page = Page(answer)
    assert page.text.count("Acme") >= 1
    assert "{" not in page.text


async def test_a_form_that_is_too_large_is_refused(showroom: Office) -> None:
    answer = await (await showroom.browser()).client.post(SIGN_IN, data={"link": "a" * 100_000})
    assert (400, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])


async def test_names_are_shown_as_text_and_never_as_markup(office: Office) -> None:
    await office.host.rack.workspaces.rename(office.host.workspace.id, name="<script>alert(1)</script>")
    page = await (await office.signed_in()).open("/console")
    assert "<script>alert(1)</script>" in page.text
    assert 1 == len(page.root.all("script"))


async def test_a_link_on_the_sign_in_page_is_text_too(showroom: Office) -> None:
    page = await (await showroom.browser()).open(f'{SIGN_IN}?link=">%3Cscript>')
    assert {"link": '"><script>'} == page.fields(SIGN_IN)


async def test_the_curl_example_holds_no_key_and_works_with_one_put_in(showroom: Office) -> None:
    issued = await showroom.host.key()
    page = await (await showroom.signed_in()).open("/console")
    (example,) = page.root.all("pre")
    assert "curl http://acme.test/api/v1/me \\\n  -H 'Authorization: Bearer acme_REPLACE_ME'" == example.text
    assert issued.key.prefix not in page.answer.text
    assert 200 == (await showroom.host.get("/api/v1/me", issued)).status_code


async def test_a_host_header_cannot_leave_the_curl_line(showroom: Office) -> None:
    browser = await showroom.signed_in()
    answer = await browser.client.get("/console", headers={"Host": "acme.test';reboot;'"})
    assert "reboot" not in answer.text


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(showroom: Office) -> None:
    browser = await showroom.browser()
    page = await browser.open(await showroom.link())
    answer = await browser.client.post(SIGN_IN, data=page.fields(SIGN_IN))
    assert (303, "/console") == (answer.status_code, answer.headers["location"])
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith("acme_session=acme_session_")
    assert {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax"} == set(flags)


async def test_over_https_the_cookie_is_bound_to_this_very_host(behind_a_proxy: Office) -> None:
    client = behind_a_proxy.host.client
    page = Page(await client.get(await behind_a_proxy.link()))
    assert {"/tools/console/sign-in"} == page.actions
    answer = await client.post(SIGN_IN, data=page.fields("/tools/console/sign-in"))
    cookie, *flags = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-acme_session=")
    assert {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax", "Secure"} == set(flags)
    assert 200 == (await client.get("/console", headers={"Cookie": cookie})).status_code
    planted = cookie.removeprefix("__Host-")
    assert 401 == (await client.get("/console", headers={"Cookie": planted})).status_code


async def test_links_lead_back_through_what_a_proxy_puts_in_front(behind_a_proxy: Office) -> None:
    client = behind_a_proxy.host.client
    page = Page(await client.get(await behind_a_proxy.link()))
    signed_in = await client.post(SIGN_IN, data=page.fields("/tools/console/sign-in"))
    cookie = signed_in.headers["set-cookie"].split("; ")[0]
    page = Page(await client.get("/console", headers={"Cookie": cookie}))
    ours = {address for address in page.links | page.actions if not address.startswith(("#", "https://acme.example/tools/docs/"))}
    assert {"/tools/console", "/tools/console/keys"} < ours
    assert all(address.startswith("/tools/console") for address in ours)
    assert all(one.attributes["href"].startswith("/tools/console/static/") for one in page.root.all("link"))


def test_a_sign_in_address_keeps_its_secret_out_of_the_path() -> None:
    secret = mint("acme_link")
    assert f"http://acme.test/console/sign-in?link={secret.text}" == sign_in_url("http://acme.test/", secret)
