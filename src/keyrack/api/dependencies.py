"""What a handler asks for by annotation, and what a route declares. All async: FastAPI runs a plain `def` dependency in a thread."""

from collections import Counter
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from keyrack.assemble import Assembly
from keyrack.gate.callers import CurrentCaller
from keyrack.gate.requires import Public, Requires, current_caller
from keyrack.manage.desk import Desk as Parts
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST


class NoParameters(BaseModel):
    """The query of an operation that takes none."""

    model_config = ConfigDict(extra="forbid")


async def _assembly(request: Request) -> Assembly:
    assembly: Assembly = request.app.state.assembly
    return assembly


async def _desk(request: Request) -> Parts:
    return (await _assembly(request)).desk


async def _actor(caller: Annotated[CurrentCaller, Depends(current_caller)]) -> Principal:
    return caller.principal


async def _no_parameters(_: Annotated[NoParameters, Query()]) -> None:
    """Refuse any query parameter: one that is ignored leaves its sender believing in it."""


async def each_parameter_once(request: Request) -> None:
    """Refuse a query parameter that stands twice, as a dependency. Raises Refused 400."""
    refuse_repeated(request)


def refuse_repeated(request: Request) -> None:
    """Refuse a query parameter that stands twice: which of the two is meant would be left to chance. Raises Refused 400."""
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if times > 1:
            raise INVALID_REQUEST("A query parameter stands here twice: send it once.", param=name)


async def _never_stored(response: Response) -> None:
    """Tell caches to keep nothing of an answer that holds a secret (RFC 9111 §5.2.2.5)."""
    response.headers["Cache-Control"] = "no-store"


TheAssembly = Annotated[Assembly, Depends(_assembly)]
Desk = Annotated[Parts, Depends(_desk)]
Actor = Annotated[Principal, Depends(_actor)]

PUBLIC = Depends(Public())
ANYBODY = Depends(Requires("any"))
FREE = Depends(Requires("any", cost=0))
ADMIN = Depends(Requires("org_admin"))
PLAIN = Depends(_no_parameters)
NEVER_STORED = Depends(_never_stored)
