"""What pages load: in the brand's colours, kept by browsers for good, and found missing with a plain word."""

from pathlib import Path

import pytest

from keyrack.console import assets
from keyrack.console.assets import Assets
from keyrack.model.brands import Brand
from keyrack.model.colors import contrast, readable, readable_on
from tests.console.visitors import Office

COLORS = ["#ffffff", "#000000", "#ffd400", "#3451b2", "#7c3aed", "#00ff88", "#808080"]


async def path_of(office: Office, name: str) -> str:
    page = await (await office.browser()).open("/console/sign-in")
    sheet = next(one.attributes["href"] for one in page.root.all("link") if one.attributes["href"].endswith("/brand.css"))
    return sheet.replace("brand.css", name)


async def test_the_style_sheet_wears_the_brands_colour(showroom: Office) -> None:
    answer = await (await showroom.browser()).client.get(await path_of(showroom, "brand.css"))
    assert answer.text.startswith(":root { --brand: #3451b2; --on-brand: #ffffff;")
    assert "text/css; charset=utf-8" == answer.headers["content-type"]


@pytest.mark.parametrize("name", ["console.css", "console.js", "vendor/tabler.css", "vendor/htmx.js", "vendor/inter.woff2", "logo.svg"])
async def test_an_asset_is_kept_for_good_under_the_mark_of_its_content(showroom: Office, name: str) -> None:
    client = (await showroom.browser()).client
    path = await path_of(showroom, name)
    answer = await client.get(path)
    assert (200, "public, max-age=31536000, immutable") == (answer.status_code, answer.headers["cache-control"])
    assert "nosniff" == answer.headers["x-content-type-options"]
    before = await client.get("/console/static/0000000000000000/" + path.split("/", 4)[4])
    assert (200, "no-cache", answer.content) == (before.status_code, before.headers["cache-control"], before.content)


async def test_an_asset_is_packed_for_those_who_can_unpack_it(showroom: Office) -> None:
    client = (await showroom.browser()).client
    path = await path_of(showroom, "vendor/tabler.css")
    packed = await client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert ("gzip", None) == (packed.headers.get("content-encoding"), plain.headers.get("content-encoding"))
    assert packed.content == plain.content


@pytest.mark.parametrize("name", ["nothing.css", "vendor/lock", "vendor/icons.json", "../console/pages.py", "%2e%2e/pages.py", ""])
async def test_what_is_no_asset_is_not_served(showroom: Office, name: str) -> None:
    assert 404 == (await (await showroom.browser()).client.get(await path_of(showroom, name))).status_code


def test_missing_assets_stop_the_start_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    assets._files.cache_clear()
    with pytest.raises(RuntimeError, match="pip install --editable"):
        Assets(Brand("Acme", "acme"))
    assets._files.cache_clear()


def test_another_brand_changes_the_mark() -> None:
    first, second = Assets(Brand("Acme", "acme")), Assets(Brand("Acme", "acme", color="#ff0000"))
    assert first.version != second.version
    assert first.version == Assets(Brand("Acme", "acme")).version


@pytest.mark.parametrize("color", COLORS)
def test_text_on_the_brands_colour_and_in_it_can_be_read(color: str) -> None:
    assert contrast(readable_on(color), color) >= 4.5
    for ground in ("#ffffff", "#111113", "#f4f4f5"):
        assert contrast(readable(color, ground), ground) >= 4.5


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert "#3451b2" == readable("#3451b2", "#ffffff")


@pytest.mark.parametrize("color", ["red", "#fff", "#3451B2", "#3451b2;}", ""])
def test_a_colour_that_is_none_is_refused(color: str) -> None:
    with pytest.raises(ValueError, match="color"):
        Brand("Acme", "acme", color=color)


@pytest.mark.parametrize("logo", ["logo.png", "<script>", "<svg>" + "a" * 100_000])
def test_a_logo_that_is_no_svg_is_refused(logo: str) -> None:
    with pytest.raises(ValueError, match="logo"):
        Brand("Acme", "acme", logo=logo)


def test_a_brands_own_logo_is_served() -> None:
    assert Assets(Brand("Acme", "acme", logo="<svg/>")).version != Assets(Brand("Acme", "acme")).version
