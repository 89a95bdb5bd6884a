"""What a route declares that it needs, and the caller that its handler gets. Both work with FastAPI's `Depends` and by themselves."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import Scope

from keyrack.gate.callers import CurrentCaller
from keyrack.model.refusals import CATALOG_MISMATCH, MISSING_CREDENTIAL


@dataclass(frozen=True)
class Requires:
    """A declaration: `any`, `full_write`, `org_admin` or `category:level`, where the space is named, and what a call takes from limits.

    The gate has checked it before the handler runs. As a dependency it only compares itself with the operation that the gate chose, so
    that two readings of the routes can never let a call through; it does no I/O and is async, so that it needs no thread.
    """

    text: str
    space: str | None = None
    cost: int = 1

    async def __call__(self, connection: HTTPConnection) -> None:
        """Compare, as a dependency."""
        self.compare(connection.scope)

    def compare(self, scope: Scope) -> None:
        """Raise Refused `catalog_mismatch` where the gate let the call in under another operation."""
        caller: CurrentCaller | None = scope.get("keyrack")
        operation = caller.call.operation if caller is not None else None
        need = operation.need if operation is not None else None
        space = self.space.removeprefix("path:") if self.space else None
        if need is None or need.declared != self.text or need.space != space:
            raise CATALOG_MISMATCH(f"The handler needs {self.text}, the gate checked {need.text if need else 'nothing'}.")


@dataclass(frozen=True)
class SignedIn(Requires):
    """The declaration of a page for signed-in members, outside the guard. As a dependency it gives the member as the caller."""

    async def __call__(self, connection: HTTPConnection) -> CurrentCaller:  # type: ignore[override]
        """Compare, and return the member. Raises Refused `catalog_mismatch` where nothing proved one."""
        self.compare(connection.scope)
        return caller_in(connection.scope)


@dataclass(frozen=True)
class Public:
    """The declaration of a route that needs no credential."""

    async def __call__(self) -> None:
        """Let every call pass."""

    def compare(self, scope: Scope) -> None:
        """Let every call pass."""


async def current_caller(connection: HTTPConnection) -> CurrentCaller:
    """Return the caller of a guarded operation, as a dependency. Raises Refused as `caller_in` does."""
    return caller_in(connection.scope)


def caller_in(scope: Scope) -> CurrentCaller:
    """Return the caller of a guarded operation. Raises Refused 401 outside the guard and in public operations: nobody was proven."""
    caller: CurrentCaller | None = scope.get("keyrack")
    if caller is None:
        raise MISSING_CREDENTIAL("This operation knows no caller.")
    return caller
