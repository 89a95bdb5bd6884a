"""The caller as the host's handlers see it: the principal, and the questions that only a handler can ask."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from keyrack.feed.cache import Cache
from keyrack.gate.authorize import authorize, authorize_in_space, missing
from keyrack.gate.streams import Watch
from keyrack.model.calls import Call
from keyrack.model.permissions import Category, Need, need
from keyrack.model.principals import Principal
from keyrack.model.refusals import NOT_FOUND, Refused


class Proving(Protocol):
    """Proves the caller of a call anew, by whatever proved it first."""

    @property
    def cache(self) -> Cache:
        """The cache whose evictions end streams and sockets."""

    async def recheck(self, call: Call) -> Principal:
        """Return the caller as of now. Raises Refused where the proof is no longer accepted."""


class CurrentCaller:
    """Who is calling, right for this call. What lives longer (a stream, a socket, a job) asks `await caller.recheck()`."""

    __slots__ = ("_authenticator", "_call", "_categories", "_required", "asked", "principal")

    def __init__(self, principal: Principal, call: Call, categories: Mapping[str, Category], authenticator: Proving) -> None:
        self.principal = principal
        self.asked = False
        self._required: tuple[tuple[str, str | None], ...] = ()
        self._call = call
        self._categories = categories
        self._authenticator = authenticator

    @property
    def workspace_id(self) -> str:
        """The workspace whose data this call is about."""
        return self.principal.workspace.id

    @property
    def name(self) -> str:
        """The name of the credential: the actor in the activity feed."""
        return self.principal.credential_name

    @property
    def mode(self) -> str:
        """`live` or `test`."""
        return self.principal.mode.value

    @property
    def visitor(self) -> str | None:
        """Who looks at the page, where a visit of theirs calls: the same on each call of theirs, and of nobody else."""
        return None if self.principal.embedded is None else self.principal.embedded.visitor

    def embedded(self, object_type: str) -> str:
        """Return the id of the object that the embed key is for. Raises Refused 404 where that is of another kind, or there is none."""
        embedded = self.principal.embedded
        if embedded is None or embedded.object_type != object_type:
            raise NOT_FOUND(f"There is no {object_type} here.")
        return embedded.object_id

    @property
    def request_id(self) -> str:
        """The id of this call in the request log."""
        return self._call.request_id

    @property
    def call(self) -> Call:
        """The call itself."""
        return self._call

    def require(self, permission: str, *, space: str | None = None) -> None:
        """Refuse unless the caller has a permission, in this space where its category lies in spaces.

        Raises Refused: the 404 of a missing thing where the caller has no role in the space, else 403. ValueError: no such permission.
        """
        self.asked = True
        self._check(permission, space)
        self._required += ((permission, space),)

    def may(self, permission: str, *, space: str | None = None) -> bool:
        """Whether `require` would let the caller pass."""
        try:
            self.require(permission, space=space)
        except Refused:
            return False
        return True

    def spaces(self, permission: str) -> list[str]:
        """The ids of the spaces in which the caller has this permission: filters lists."""
        self.asked = True
        wanted = self._need(permission, "any")
        return [space_id for space_id, role in self.principal.masks.spaces.items() if role.level >= wanted.level]

    async def recheck(self) -> None:
        """Prove the caller anew. Raises Refused where the credential is no longer accepted."""
        self.principal = await self._authenticator.recheck(self._call)

    async def still_accepted(self) -> bool:
        """Whether a new call with this credential would be let into the same operation, and pass what this one's handler required."""
        try:
            await self.recheck()
            if self._call.operation is not None:
                authorize(self.principal, self._call.operation, self._call.path_params)
            for permission, space in self._required:
                self._check(permission, space)
        except Refused:
            return False
        return True

    def watch(self, task: "asyncio.Task[object] | None" = None) -> Watch:
        """Register something that outlives its call's decision: its task, else the one that asks, is cancelled when the caller ends."""
        return Watch(self._authenticator.cache, self._call.digest or b"", self.still_accepted, task or asyncio.current_task())

    @property
    def left_unasked(self) -> bool:
        """Whether the handler had to ask for the object's space and did not."""
        operation = self._call.operation
        return not self.asked and operation is not None and operation.need is not None and operation.need.space == "object"

    def _check(self, permission: str, space: str | None) -> None:
        wanted = self._need(permission, space)
        if wanted.in_spaces:
            authorize_in_space(self.principal, wanted, space or "", permission)
        elif not self.principal.masks.allow(wanted):
            raise missing(self.principal, wanted, "This")

    def _need(self, permission: str, space: str | None) -> Need:
        category = self._categories.get(permission.partition(":")[0])
        return need(permission, self._categories, "object" if category is not None and category.in_spaces and space else None)
