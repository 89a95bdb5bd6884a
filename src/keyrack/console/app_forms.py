"""The form of an app: what it is called, where it leads back to, and what it asks for."""

from collections.abc import Mapping
from typing import Any

from keyrack.console.fields import name_in
from keyrack.console.pages import Pages
from keyrack.model.apps import SPACES, App, in_words, offered

FIELDS = ("name", "redirect_uris", "scopes", "own_scopes", "homepage_url", "partner")
"""The fields beside which a refusal may stand."""

FIELDS_MAX = 400
_TEXTS = ("name", "redirect_uris", "homepage_url", "partner", "public")


def chosen(pages: Pages, form: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form says of an app, without whether it is public. Raises Refused 400."""
    scopes = offered(pages.desk.categories)
    return {
        "name": name_in(form),
        "redirect_uris": form.get("redirect_uris", "").split(),
        "scopes": [scope for scope in scopes if form.get(f"scope.{scope}") == "yes"],
        "own_scopes": [scope for scope in scopes if form.get(f"own.{scope}") == "yes"],
        "homepage_url": form.get("homepage_url", ""),
        "partner": form.get("partner", ""),
    }


def as_written(pages: Pages, app: App) -> dict[str, str]:
    """Return an app as its form shows it."""
    texts = {"name": app.name, "redirect_uris": " ".join(app.redirect_uris), "homepage_url": app.homepage_url or ""}
    asked = {f"scope.{scope}": "yes" for scope in offered(pages.desk.categories) if scope in app.scopes}
    own = {f"own.{scope}": "yes" for scope in offered(pages.desk.categories) if scope in app.own_scopes}
    return {**texts, "partner": app.partner or "", "public": "yes" if app.is_public else "", **asked, **own}


def given(pages: Pages, form: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form shows, as it was filled in: its texts, and each permission in words with whether it was chosen."""
    categories = pages.desk.categories
    words = [(scope, in_words(scope, categories, "the member is")) for scope in offered(categories)]
    return {
        "given": {name: form.get(name, "") for name in _TEXTS},
        "scopes": [(scope, text, form.get(f"scope.{scope}") == "yes") for scope, text in words],
        "own_scopes": [(scope, text, form.get(f"own.{scope}") == "yes") for scope, text in words if not scope.startswith(f"{SPACES}:")],
        "has_own": any(name.startswith("own.") for name in form),
    }
