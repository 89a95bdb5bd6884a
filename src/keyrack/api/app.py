"""All operations of the management API as one app, which the gate calls directly."""

from fastapi import APIRouter, Depends, FastAPI

from keyrack.api import (
    access,
    apps,
    connectors,
    deliveries,
    embed_keys,
    endpoints,
    event_types,
    events,
    grants,
    integrations,
    invitations,
    keys,
    leaks,
    me,
    members,
    portal_links,
    request_logs,
    spaces,
    tokens,
    usage,
    workspaces,
)
from keyrack.api.dependencies import each_parameter_once
from keyrack.api.described import TAGS
from keyrack.assemble import Assembly

# FastAPI works out for each place of a route what it asks for, which takes a while: once for all racks of a process.
_routes = APIRouter(dependencies=[Depends(each_parameter_once)])
for _noun in (
    me,
    usage,
    workspaces,
    integrations,
    keys,
    tokens,
    embed_keys,
    apps,
    grants,
    access,
    members,
    invitations,
    portal_links,
    spaces,
    events,
    event_types,
    endpoints,
    deliveries,
    connectors,
    request_logs,
    leaks,
):
    _routes.include_router(_noun.router, prefix="/api/v1")


def build(assembly: Assembly) -> FastAPI:
    """Return the app. Its routes stand under their full paths, so that the gate's table can take them as they are."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, openapi_tags=list(TAGS))
    app.state.assembly = assembly
    app.router.routes.extend(_routes.routes)
    return app
