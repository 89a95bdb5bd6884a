"""What people write about an integration: name, org-level access, levels, and the mode of its first key; and about what a person may do."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from keyrack.console import space_access
from keyrack.console.curls import curl
from keyrack.console.fields import levels_in, mode_in, name_in
from keyrack.console.pages import Pages
from keyrack.manage.keys import Issued
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights
from keyrack.model.principals import Mode
from keyrack.model.refusals import INVALID_REQUEST

CATEGORIES_MAX = 200


class IntegrationForm:
    """Reads the forms of integrations as the brand shows them, and the page that shows a new key."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def org_access(self, form: Mapping[str, str]) -> OrgAccess:
        """Return the org-level access. Raises Refused 400."""
        try:
            return OrgAccess(form.get("org_access", OrgAccess.NONE))
        except ValueError:
            raise INVALID_REQUEST("Choose none, reader or admin.", param="org_access") from None

    def permissions(self, form: Mapping[str, str]) -> dict[str, Level]:
        """Return the levels. Raises Refused 400."""
        return levels_in(form, self._pages.categories)

    def check(self, form: Mapping[str, str]) -> None:
        """Raise Refused 400 unless the first step of the wizard can be left."""
        name_in(form)
        mode_in(form.get("mode", Mode.LIVE))
        self.org_access(form)
        self.permissions(form)

    def chosen(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return the parts of the rights that the brand lets people choose beside roles in spaces. Raises Refused 400."""
        brand = self._pages.brand
        found: dict[str, Any] = {"org_access": self.org_access(form)} if brand.edits_org_and_spaces else {}
        return found | ({"permissions": self.permissions(form)} if brand.edits_levels else {})

    def of_person(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return a person's org-level access and levels. Where a brand shows no levels they follow that access: nobody keeps unseen ones.

        Raises Refused 400.
        """
        org_access = self.org_access(form)
        if self._pages.brand.edits_levels:
            return {"org_access": org_access, "permissions": self.permissions(form)}
        return {"org_access": org_access, "permissions": {ALL: Level.WRITE} if org_access is OrgAccess.ADMIN else {}}

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
            "partner": form.get("partner", ""),
            "mode": form.get("mode", Mode.LIVE.value),
            "org_access": form.get("org_access", OrgAccess.NONE.value),
            "levels": {category.name: form.get(f"level.{category.name}", "none") for category in self._pages.categories},
            "all": form.get("all") == "yes",
        }

    def details(self, form: Mapping[str, str]) -> dict[str, str]:
        """Return the fields of the wizard's first step, for the steps behind it."""
        names = ("name", "mode", "org_access", "all", *(f"level.{category.name}" for category in self._pages.categories))
        return {name: form[name] for name in names if name in form}

    @staticmethod
    def of_rights(name: str, rights: Rights) -> dict[str, str]:
        """Return the fields of a form that shows an integration as it is."""
        form = {"name": name, "org_access": rights.org_access.value, "all": "yes" if rights.has_all else ""}
        return form | {f"level.{category}": level.word for category, level in rights.permissions.items()}

    def issued_before(self, request: Request, integration_id: str) -> Response:
        """Answer a form that was sent again: its key is there once, and was shown in the first answer."""
        said = "The first time that you pressed made the key, and it was shown then. Rotate it if you missed that."
        return self._pages.go(request, f"/integrations/{integration_id}", said, tone="warning")

    def issued(self, request: Request, issued: Issued, *, wizard: bool = False) -> Response:
        """Show a new key this once."""
        line = curl(self._pages.addresses.outside(request), issued.secret.text)
        return self._pages.render(request, "integrations/issued.html", issued=issued, curl=line, wizard=wizard)
