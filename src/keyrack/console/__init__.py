"""The console: the pages on which people look after their workspace. Server-rendered; nothing needs JavaScript."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from keyrack.assemble import Assembly
from keyrack.console.access import AccessPages
from keyrack.console.addresses import sign_in_url
from keyrack.console.apps import AppPages
from keyrack.console.connectors import ConnectorPages
from keyrack.console.consents import ConsentPages
from keyrack.console.deliveries import DeliveryPages
from keyrack.console.embed_keys import EmbedKeyPages
from keyrack.console.endpoint_tests import EndpointTestPages
from keyrack.console.endpoints import EndpointPages
from keyrack.console.events import EventPages
from keyrack.console.headers import Hardened
from keyrack.console.integrations import IntegrationPages
from keyrack.console.invitations import InvitationPages, JoiningPages
from keyrack.console.keys import KeyPages
from keyrack.console.leaks import LeakPages
from keyrack.console.members import MemberPages
from keyrack.console.navigation import Section
from keyrack.console.new_integrations import NewIntegrationPages
from keyrack.console.openid import OpenIdPages
from keyrack.console.own_access import OwnAccessPages
from keyrack.console.own_grants import OwnGrantPages
from keyrack.console.pages import Pages
from keyrack.console.passwords import PasswordPages
from keyrack.console.people import PeoplePages
from keyrack.console.portal_links import PortalLinkPages
from keyrack.console.request_logs import RequestLogPages
from keyrack.console.revealing import RevealingPages
from keyrack.console.sessions import SessionPages
from keyrack.console.set_ups import SetUpPages
from keyrack.console.settings import SettingsPages
from keyrack.console.spaces import SpacePages
from keyrack.console.themes import ThemePages
from keyrack.console.tokens import TokenPages
from keyrack.console.unused_permissions import UnusedPermissionPages
from keyrack.console.usage import UsagePages
from keyrack.console.workspaces import WorkspacePages
from keyrack.model.refusals import Refused

__all__ = ["build", "sign_in_url"]

# In the order of the sidebar. A page is added here, as a class in a file of its own, and with its template: docs/console.md.
SECTIONS: tuple[Callable[[Pages], Section], ...] = (
    WorkspacePages,
    KeyPages,
    RevealingPages,
    NewIntegrationPages,
    IntegrationPages,
    UnusedPermissionPages,
    RequestLogPages,
    EndpointPages,
    EndpointTestPages,
    DeliveryPages,
    EventPages,
    EmbedKeyPages,
    SpacePages,
    MemberPages,
    InvitationPages,
    AccessPages,
    ConnectorPages,
    AppPages,
    SettingsPages,
    UsagePages,
    PeoplePages,
    TokenPages,
    OwnAccessPages,
    OwnGrantPages,
    SessionPages,
    OpenIdPages,
    PasswordPages,
    LeakPages,
    SetUpPages,
    ConsentPages,
    JoiningPages,
    PortalLinkPages,
    ThemePages,
)

OF_TOKENS: frozenset[Callable[[Pages], Section]] = frozenset({AccessPages, AppPages, TokenPages, OwnAccessPages, OwnGrantPages})
"""What is there where members hold tokens of their own, by the brand's `personal_tokens`."""


def build(assembly: Assembly) -> dict[str, ASGIApp]:
    """Return the console by its path prefix. Raises RuntimeError where the build left no assets."""
    pages = Pages(assembly)
    sections = [section(pages) for section in SECTIONS if assembly.brand.personal_tokens or section not in OF_TOKENS]
    pages.entries = [entry for section in sections for entry in section.entries]
    routes = [Route("/console/static/{version}/{name:path}", pages.assets.answer, methods=["GET"])]
    routes += [route for section in sections for route in section.routes]
    app = Starlette(routes=routes, exception_handlers={Refused: pages.refused, HTTPException: pages.http_error, Exception: pages.crashed})
    return {"/console": Hardened(app)}
