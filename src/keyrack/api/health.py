"""Whether this process is alive, and whether it can serve: for load balancers and supervisors."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from keyrack.assemble import Assembly


def build_health(assembly: Assembly) -> dict[str, ASGIApp]:
    """Return `/healthz` (alive) and `/readyz` (ready: 200, else 503 with what is missing) by their paths."""

    async def alive(request: Request) -> JSONResponse:
        return JSONResponse({"alive": True})

    async def ready(request: Request) -> JSONResponse:
        missing = await assembly.missing()
        return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)

    return {"/healthz": Starlette(routes=[Route("/healthz", alive)]), "/readyz": Starlette(routes=[Route("/readyz", ready)])}
