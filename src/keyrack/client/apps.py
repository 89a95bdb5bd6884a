"""Apps."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET

from keyrack.client.objects import Object, Perhaps, changed, deleted, got, listed, made, reader
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request, path_of, request_of


class App(Object, frozen=True, kw_only=True):
    """An app that was registered in the workspace: an OAuth client."""

    id: str
    name: str
    client_id: str
    public: bool
    redirect_uris: list[str]
    scopes: list[str]
    own_scopes: list[str]
    homepage_url: str | None
    partner: str | None
    secret_prefix: str | None
    secret_made_at: datetime | None
    grants: int
    made_by: str
    made_by_name: str
    created_at: datetime
    updated_at: datetime


class IssuedApp(App, frozen=True, kw_only=True):
    """An app with its new client secret, which is in this answer alone; left out of the repr. A public app has none."""

    secret: str | None


class Uninstallation(Object, frozen=True, kw_only=True):
    """How many grants ended."""

    app_id: str
    grants_ended: int


class Apps(Part[S]):
    """Apps: OAuth clients. Only an org-level Admin registers and changes them."""

    def list(self, **filters: Any) -> Listing[S, App]:
        """List apps: `search`, `sort`, `updated_after`, and those of each list."""
        return Listing(self._sender, listed(App, "apps", **filters))

    @Operation
    def get(self, app_id: str) -> Request[App]:
        """Get an app."""
        return got(App, "apps", app_id)

    @Operation
    def create(
        self,
        *,
        name: str,
        redirect_uris: Sequence[str],
        scopes: Sequence[str],
        own_scopes: Perhaps[Sequence[str]] = UNSET,
        public: bool = False,
        homepage_url: str | None = None,
        partner: str | None = None,
        idempotency_key: str | None = None,
    ) -> Request[IssuedApp]:
        """Register an app."""
        about = {"name": name, "public": public, "homepage_url": homepage_url, "partner": partner}
        fields = {**about, "redirect_uris": redirect_uris, "scopes": scopes, "own_scopes": own_scopes}
        return made(IssuedApp, "apps", idempotency_key=idempotency_key, **fields)

    @Operation
    def update(
        self,
        app_id: str,
        *,
        name: Perhaps[str] = UNSET,
        redirect_uris: Perhaps[Sequence[str]] = UNSET,
        scopes: Perhaps[Sequence[str]] = UNSET,
        own_scopes: Perhaps[Sequence[str]] = UNSET,
        homepage_url: Perhaps[str | None] = UNSET,
        partner: Perhaps[str | None] = UNSET,
    ) -> Request[App]:
        """Change fields of an app. When this returns, no token of it reaches further than its new scopes."""
        about = {"name": name, "homepage_url": homepage_url, "partner": partner}
        return changed(App, "apps", app_id, **about, redirect_uris=redirect_uris, scopes=scopes, own_scopes=own_scopes)

    @Operation
    def rotate(self, app_id: str, *, idempotency_key: str | None = None) -> Request[IssuedApp]:
        """Rotate an app's client secret. When this returns, the one before proves nothing."""
        return made(IssuedApp, "apps", app_id, "rotate", idempotency_key=idempotency_key)

    @Operation
    def uninstall(self, app_id: str) -> Request[Uninstallation]:
        """Shut an app out of the workspace, also one that was registered in another."""
        return request_of("POST", path_of("apps", app_id, "uninstall"), reader(Uninstallation))

    @Operation
    def delete(self, app_id: str) -> Request[None]:
        """Delete an app. When this returns, every token of it is refused."""
        return deleted("apps", app_id)
