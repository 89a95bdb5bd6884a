"""What a handler of the community asks for by annotation."""

from typing import Annotated

from fastapi import Depends, Request

from atrium.community.keeper import Keeper
from atrium.community.visitors import Visitor, visitor
from atrium.dependencies import Rack
from keyrack import Caller, refusals


async def _visitor(request: Request, caller: Caller, rack: Rack) -> Visitor:
    """Return who is here. Raises Refused 403 for whom another product let in: nobody knows by what name they would speak."""
    keeper: Keeper = request.app.state.community
    if not caller.principal.decides_roles or caller.principal.person_id is None:
        raise refusals.INSUFFICIENT_PERMISSION("Sign in by yourself to visit the community.")
    return await visitor(rack, keeper.home, caller.principal.person_id)


Visiting = Annotated[Visitor, Depends(_visitor)]
