"""Brands: configuration that cannot contradict itself."""

import pytest

from keyrack.model.brands import Brand, Words
from keyrack.model.permissions import ALL, Level, Rights
from keyrack.model.principals import Mode


def test_live_and_test_keys_begin_differently() -> None:
    brand = Brand("Pivotal", "pivotal")
    assert "pivotal" == brand.prefix(Mode.LIVE)
    assert "pivotal_test" == brand.prefix(Mode.TEST)
    assert (Mode.LIVE, Mode.TEST) == brand.modes


def test_a_brand_without_test_mode_has_live_keys_only() -> None:
    assert (Mode.LIVE,) == Brand("Pivot", "pivot", test_mode=False).modes


def test_a_key_that_names_no_rights_gets_none_unless_the_brand_says_all() -> None:
    assert Rights() == Brand("Pinpoint", "pinpoint").default_rights
    assert Rights(permissions={ALL: Level.WRITE}) == Brand("Pivotal", "pivotal", all_by_default=True).default_rights


@pytest.mark.parametrize("prefix", ["", "_x", "x_", "a__b", "Upper", "ä", "1x", "with-hyphen", "a" * 25, "x\n"])
def test_a_prefix_that_could_not_stand_in_a_key_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="key_prefix"):
        Brand("X", prefix)


def test_a_prefix_whose_live_keys_look_like_others_is_refused() -> None:
    alike = (
        ("x_test", "test keys"),
        ("x_pat", "personal tokens"),
        ("x_embed", "embed keys"),
        ("embed", "embed keys"),
        ("x_visit", "sessions"),
    )
    for prefix, others in alike:
        with pytest.raises(ValueError, match=others):
            Brand("X", prefix)


def test_embed_keys_begin_like_no_secret() -> None:
    assert "acme_embed" == Brand("Acme", "acme").embed_prefix
    pivra = Brand("Pivra", "pivra_sk", public_prefix="pivra")
    assert ("pivra_embed", True) == (pivra.embed_prefix, "pivra_embed" not in pivra.prefixes)
    with pytest.raises(ValueError, match="public_prefix"):
        Brand("X", "x", public_prefix="X")


def test_personal_tokens_begin_in_a_way_of_their_own() -> None:
    assert "pipedrive_pat" == Brand("Pipedrive", "pipedrive").token_prefix


def test_a_brand_shows_a_list_of_keys_or_integrations_or_has_personal_tokens() -> None:
    assert () == Brand("Pipedrive", "pipedrive", lists=()).lists
    with pytest.raises(ValueError, match="lists"):
        Brand("X", "x", lists=(), personal_tokens=False)


@pytest.mark.parametrize("name", ["", "   ", "a" * 61, "line\nbreak"])
def test_empty_overlong_and_unprintable_texts_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Brand(name, "x")
    with pytest.raises(ValueError, match=r"words\.end"):
        Words(end=name)


@pytest.mark.parametrize(("one", "several"), [("company", "companies"), ("workspace", "workspaces"), ("day", "days"), ("y", "ys")])
def test_several_workspaces_have_a_word_too(one: str, several: str) -> None:
    assert several == Words(workspace=one).workspaces


def test_navigation_is_a_tuple_of_titles() -> None:
    with pytest.raises(ValueError, match="navigation"):
        Brand("X", "x", navigation="Settings")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="navigation"):
        Brand("X", "x", navigation=())


@pytest.mark.parametrize(
    "home", ["customers", "//evil.example/", "/\\evil.example", "http://acme.example/", "javascript:alert(1)", "https://a b/"]
)
def test_what_could_lead_elsewhere_than_home_is_refused(home: str) -> None:
    with pytest.raises(ValueError, match="home"):
        Brand("X", "x", home=home)


@pytest.mark.parametrize("home", ["", "/", "/customers", "https://app.acme.example/", "https://app.acme.example:8443/start?tab=1"])
def test_home_is_a_path_of_this_host_or_an_address(home: str) -> None:
    assert home == Brand("X", "x", home=home).home


def test_an_api_that_nobody_could_switch_on_is_refused() -> None:
    assert not Brand("X", "x", api_enabled_at_first=False).api_enabled_at_first
    with pytest.raises(ValueError, match="api_toggle"):
        Brand("X", "x", api_toggle=False, api_enabled_at_first=False)


def test_key_is_made_in_place_only_where_nobody_chooses_its_levels() -> None:
    assert "API Keys" == Brand("Pivra", "pivra_sk", edits_levels=False, creates_in_place=True, section="API Keys").section
    with pytest.raises(ValueError, match="creates_in_place"):
        Brand("X", "x", creates_in_place=True)
    with pytest.raises(ValueError, match="navigation"):
        Brand("X", "x", section="two\nlines")
