"""Whether this process is alive, and whether it can serve: for load balancers and supervisors."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from keyrack.assemble import Assembly


def build_health(assembly: Assembly) -> dict[str, ASGIApp]:
    """Return `/healthz` (alive) and `/readyz` (ready: 200, else 503) by their paths.

    `missing` says in words what stands in the way, `checks` how each thing is that a call stands on. Nothing in `details` is a reason not
    to be ready.
    """

    async def alive(request: Request) -> JSONResponse:
        return JSONResponse({"alive": True})

    async def ready(request: Request) -> JSONResponse:
        checks = await assembly.readiness.look()
        missing = [found.detail for found in checks.values() if not found.ok]
        told = {
            "ready": not missing,
            "missing": missing,
            "checks": {name: found._asdict() for name, found in checks.items()},
            "details": {name: found._asdict() for name, found in assembly.details().items()},
        }
        return JSONResponse(told, status_code=503 if missing else 200, headers={"Cache-Control": "no-store"})

    return {"/healthz": Starlette(routes=[Route("/healthz", alive)]), "/readyz": Starlette(routes=[Route("/readyz", ready)])}
