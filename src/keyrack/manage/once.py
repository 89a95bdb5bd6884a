"""What somebody asks for twice in one go happens once: a form that was sent again, by a second press or a reload (CONSISTENCY §5)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic_ns

from keyrack.manage.desk import Desk
from keyrack.model.calls import CURRENT, Call
from keyrack.model.principals import Principal
from keyrack.model.refusals import IDEMPOTENCY_KEY_IN_USE, Refused
from keyrack.model.replays import Claim, scope_of
from keyrack.store import replays
from keyrack.store.ids import new_id

_METHOD, _PATH = "POST", "/console"
"""What no operation of the API is called: marks of forms never meet idempotency keys."""


class DoneBefore(Exception):
    """What a mark stands for has happened. `made` names the things that it was about, by `object` and `id`."""

    def __init__(self, made: Sequence[Mapping[str, str]]) -> None:
        super().__init__(f"done before: {', '.join(one['object'] for one in made)}")
        self.made = made

    def id_of(self, kind: str) -> str | None:
        """Return the id of the thing of a kind (key, integration, space, invitation), or None."""
        return next((one["id"] for one in self.made if one["object"] == kind), None)


@asynccontextmanager
async def once(desk: Desk, actor: Principal, mark: str) -> AsyncIterator[None]:
    """Let the one change inside the block happen once for an actor and a mark; it may fail and be tried again until then.

    Raises DoneBefore where it has happened, also where another process did it while this one tried.
    """
    claim = Claim(scope_of(actor, _METHOD, _PATH, mark), actor.workspace.id, new_id(), fingerprint="", request_id="")
    await _refuse_done(desk, claim)
    call = Call(_METHOD, _PATH, "", desk.now(), monotonic_ns())
    call.claim = claim
    token = CURRENT.set(call)
    try:
        yield
    except Refused as refused:
        if refused.refusal is IDEMPOTENCY_KEY_IN_USE:
            await _refuse_done(desk, claim)
        raise
    finally:
        CURRENT.reset(token)


async def _refuse_done(desk: Desk, claim: Claim) -> None:
    async with desk.store.reading() as c:
        found = await replays.find(c, claim.workspace_id, claim.scope)
    if found is not None:
        raise DoneBefore(found.made)
