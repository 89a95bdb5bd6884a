"""`keyrack serve`: a host's app in production."""

from typing import Annotated

import structlog
import typer

from keyrack.cli import hosts, server_log, servers
from keyrack.cli.listening import listen, url_of
from keyrack.cli.options import Data, Host, Json, Port
from keyrack.cli.printing import print_json

log = structlog.get_logger("keyrack")
WORKERS_MAX = 256
DRAIN_SECONDS = 30
DRAIN_SECONDS_MAX = 3600


def serve(
    name: Annotated[str, typer.Argument(metavar="MODULE:APP", help="The app that Keyrack is installed in, like shop.main:app.")],
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=WORKERS_MAX, help="How many processes answer calls.")] = 1,
    drain_seconds: Annotated[
        int, typer.Option("--drain-seconds", min=1, max=DRAIN_SECONDS_MAX, help="How long running calls may still take after a stop.")
    ] = DRAIN_SECONDS,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Serve an app in production.

    Ctrl-C or SIGTERM end it, once the calls that run are finished.
    The log goes to standard error, structured. The client's address is the peer's, or what KEYRACK_TRUSTED_PROXIES vouch for.
    """
    hosts.use_folder(data, make=True)
    app = hosts.load(name)
    rack = hosts.rack_in(app, name)
    server_log.configure(rack.assembly.prefixes, form=rack.settings.log_format)
    if hosts.rewrites_addresses(app):
        log.warning(
            "proxy_headers_in_front",
            advice="a ProxyHeadersMiddleware replaces the client's address before Keyrack reads it: remove it, and name your proxies in "
            "KEYRACK_TRUSTED_PROXIES",
        )
    listener = listen(host, port)
    url = url_of(listener)

    def announce() -> None:
        log.info("serving", app=name, url=url, workers=workers, data=str(rack.settings.data))
        if as_json:
            print_json({"url": url, "app": name, "workers": workers})

    async def prepare() -> servers.Announce:
        return announce

    if workers == 1:
        servers.serve_here(app, listener, drain_seconds, prepare)
    else:
        servers.serve_in_workers(name, workers, listener, drain_seconds, announce)
