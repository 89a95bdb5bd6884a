"""The pattern of a brand's keys matches every one of them, and scanners read it as it is printed."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from atrium.brands import BRANDS
from keyrack import Brand
from keyrack.crypto.format import mint, well_formed
from keyrack.manage.key_patterns import Format, pattern, regex
from tests.commands import Command, command

__all__ = ["command"]

ALL = {
    **{name: brand.brand for name, brand in BRANDS.items()},
    "quoted": Brand('The "A\\B" shop 🛒', "the_shop"),
    "live": Brand("L", "l", test_mode=False),
}
SHOP = """
from fastapi import FastAPI

from keyrack import Brand, Keyrack, Settings

app = FastAPI()
Keyrack(Settings(), brand=Brand("Shop", "shop")).install(app)
"""
AROUND = ("{}", "KEY={}", '"{}"', "Bearer {}\n", "https://x.example/?key={}&y", "'{}',", "({})")


@pytest.mark.parametrize("name", ALL)
def test_every_key_is_found_whole_wherever_it_stands(name: str) -> None:
    brand = ALL[name]
    found = re.compile(regex(brand))
    for prefix in brand.lasting_prefixes:
        for _ in range(50):
            secret = mint(prefix).text
            assert all([secret] == found.findall(around.format(secret)) for around in AROUND)


@pytest.mark.parametrize("name", ALL)
def test_what_is_no_key_is_not_found_and_a_wrong_checksum_is_told(name: str) -> None:
    brand = ALL[name]
    secret = mint(brand.prefix(brand.modes[-1])).text
    for text in (
        secret[:-1],
        secret + "0",
        f"x{secret}",
        f"_{secret}",
        secret.upper(),
        mint("other").text,
        mint(f"{brand.key_prefix}_session").text,
    ):
        assert [] == re.findall(regex(brand), text)
    mistyped = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    assert [mistyped] == re.findall(regex(brand), mistyped)
    assert not well_formed(mistyped)


def test_expression_uses_nothing_that_re2_and_hyperscan_lack() -> None:
    for brand in ALL.values():
        assert re.fullmatch(r"\\b\(\?:[a-z0-9_|]+\)_\[0-9A-Za-z\]\{36\}\\b", regex(brand))


@pytest.mark.parametrize("name", ALL)
def test_rules_are_read_by_the_languages_that_they_are_written_in(name: str) -> None:
    brand = ALL[name]
    (rule,) = tomllib.loads(pattern(brand, Format.GITLEAKS))["rules"]
    assert {"id", "description", "regex", "keywords"} == set(rule)
    assert regex(brand) == rule["regex"]
    assert brand.name in rule["description"]
    (detector,) = yaml.safe_load(pattern(brand, Format.TRUFFLEHOG))["detectors"]
    assert {"name", "keywords", "regex"} == set(detector)
    assert {"key": regex(brand)} == detector["regex"]
    secret = mint(brand.key_prefix).text
    for keywords in (rule["keywords"], detector["keywords"]):
        assert all(keyword in secret.lower() for keyword in keywords)


def test_github_is_told_all_that_it_asks_for() -> None:
    brand = ALL["atrium"]
    told = dict(line.split(": ", 1) for line in pattern(brand, Format.GITHUB, "https://atrium.example").splitlines())
    assert {
        "To": "secret-scanning@github.com",
        "Secret type": "atrium_api_key",
        "Regular expression": regex(brand),
        "Endpoint": "https://atrium.example/api/v1/leaks/github",
    }.items() <= told.items()
    assert "Test account" in told


def test_command_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    (tmp_path / "shop_of_patterns.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for wanted in Format:
        asked = ("keys", "pattern", "--app", "shop_of_patterns:app", "--format", wanted.value)
        ended = command(*asked)
        assert (0, "") == (ended.code, ended.err)
        assert r"\b(?:shop|shop_test|shop_pat|shop_oat|shop_ort|shop_ocs)_[0-9A-Za-z]{36}\b" in ended.out
        assert {"object": "key_pattern", "format": wanted.value, "pattern": ended.out.rstrip("\n")} == command(*asked, "--json").json


def test_command_asks_for_the_app(command: Command) -> None:
    ended = command("keys", "pattern")
    assert (1, True) == (ended.code, "--app" in ended.err)


def test_brand_without_test_keys_has_none_of_their_prefix() -> None:
    assert r"\b(?:acme|acme_pat|acme_oat|acme_ort|acme_ocs)_" in regex(replace(ALL["live"], key_prefix="acme"))
