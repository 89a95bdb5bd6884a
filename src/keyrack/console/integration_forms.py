"""What people write about an integration: its name, its org-level access and levels, and the mode of its first key."""

import shlex
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from keyrack.console import space_access
from keyrack.console.pages import Pages
from keyrack.manage.keys import Issued
from keyrack.model.permissions import ALL, Category, Level, OrgAccess, Rights
from keyrack.model.principals import Mode
from keyrack.model.refusals import INVALID_REQUEST

CATEGORIES_MAX = 200
NAME_LENGTH_MAX = 100


class IntegrationForm:
    """Reads the forms of integrations as the brand shows them, and the page that shows a new key."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def categories(self) -> list[Category]:
        """What levels are given in: what lies in spaces is reached by roles."""
        return [category for category in self._pages.desk.categories.values() if not category.in_spaces]

    def name(self, form: Mapping[str, str]) -> str:
        """Return the name. Raises Refused 400."""
        name = form.get("name", "").strip()
        if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
            raise INVALID_REQUEST(f"Write 1 to {NAME_LENGTH_MAX} printable characters.", param="name")
        return name

    def mode(self, form: Mapping[str, str]) -> Mode:
        """Return the mode of the first key. Raises Refused 400."""
        try:
            return Mode(form.get("mode", Mode.LIVE))
        except ValueError:
            raise INVALID_REQUEST("Choose live or test.", param="mode") from None

    def org_access(self, form: Mapping[str, str]) -> OrgAccess:
        """Return the org-level access. Raises Refused 400."""
        try:
            return OrgAccess(form.get("org_access", OrgAccess.NONE))
        except ValueError:
            raise INVALID_REQUEST("Choose none, reader or admin.", param="org_access") from None

    def permissions(self, form: Mapping[str, str]) -> dict[str, Level]:
        """Return the levels. Raises Refused 400."""
        if form.get("all") == "yes":
            return {ALL: Level.WRITE}
        try:
            return {category.name: Level.of(form.get(f"level.{category.name}", "none")) for category in self.categories}
        except ValueError as error:
            raise INVALID_REQUEST(f"{error}.", param="permissions") from None

    def check(self, form: Mapping[str, str]) -> None:
        """Raise Refused 400 unless the first step of the wizard can be left."""
        self.name(form)
        self.mode(form)
        self.org_access(form)
        self.permissions(form)

    def chosen(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return the parts of the rights that the brand lets people choose beside roles in spaces. Raises Refused 400."""
        brand = self._pages.brand
        found: dict[str, Any] = {"org_access": self.org_access(form)} if brand.edits_org_and_spaces else {}
        return found | ({"permissions": self.permissions(form)} if brand.edits_levels else {})

    def rights(self, form: Mapping[str, str]) -> Rights:
        """Return the rights of a new integration. Raises Refused 400."""
        chosen = self.chosen(form)
        if self._pages.brand.edits_org_and_spaces:
            chosen["spaces"] = space_access.roles_in(form)
        return Rights(**chosen) if chosen else self._pages.brand.default_rights

    def given(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return what was written, as the form shows it again."""
        return {
            "name": form.get("name", ""),
            "mode": form.get("mode", Mode.LIVE.value),
            "org_access": form.get("org_access", OrgAccess.NONE.value),
            "levels": {category.name: form.get(f"level.{category.name}", "none") for category in self.categories},
            "all": form.get("all") == "yes",
        }

    def details(self, form: Mapping[str, str]) -> dict[str, str]:
        """Return the fields of the wizard's first step, for the steps behind it."""
        names = ("name", "mode", "org_access", "all", *(f"level.{category.name}" for category in self.categories))
        return {name: form[name] for name in names if name in form}

    @staticmethod
    def of_rights(name: str, rights: Rights) -> dict[str, str]:
        """Return the fields of a form that shows an integration as it is."""
        form = {"name": name, "org_access": rights.org_access.value, "all": "yes" if rights.has_all else ""}
        return form | {f"level.{category}": level.word for category, level in rights.permissions.items()}

    def issued(self, request: Request, issued: Issued, *, wizard: bool = False) -> Response:
        """Show a new key this once."""
        url = f"{self._pages.addresses.outside(request)}/api/v1/me"
        curl = f"curl {shlex.quote(url)} \\\n  -H {shlex.quote(f'Authorization: Bearer {issued.secret.text}')}"
        return self._pages.render(request, "integrations/issued.html", issued=issued, curl=curl, wizard=wizard)
