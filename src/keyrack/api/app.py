"""All operations of the management API as one app, which the gate calls directly."""

from fastapi import Depends, FastAPI

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


def build(assembly: Assembly) -> FastAPI:
    """Return the app. Its routes stand under their full paths, so that the gate's table can take them as they are."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(each_parameter_once)],
        openapi_tags=list(TAGS),
    )
    app.state.assembly = assembly
    for noun in (
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
        app.include_router(noun.router, prefix="/api/v1")
    return app
