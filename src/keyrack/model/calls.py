"""A call: one API request in the gate."""

from contextvars import ContextVar
from typing import Any

from keyrack.model.catalog import Operation
from keyrack.model.embed_keys import Visit
from keyrack.model.limits import Header
from keyrack.model.principals import Principal
from keyrack.model.refusals import Refused
from keyrack.model.replays import Claim


class Call:
    """One API request, from the moment its head arrived.

    The gate fills it in as it goes: `principal` after authentication, `claim` where an idempotency key lets it happen once, `sessions`
    when a host joins its transaction, `refused` when the host's code refused. `headers` are what the gate says in the head of the answer.
    `origin` and `is_same_origin` are what a browser says of the page that calls; `embed_key` stands in the URL; `visit` is whose call it
    is where a visitor calls. Times: `arrived_at` in ms since the epoch, `started_ns` on
    the monotonic clock, `waited_seconds` is how long the store has been waited for so far. Mutable and slotted, for one is made on every
    request.
    """

    __slots__ = (
        "address",
        "arrived_at",
        "claim",
        "digest",
        "embed_key",
        "headers",
        "is_same_origin",
        "method",
        "operation",
        "origin",
        "path",
        "path_params",
        "principal",
        "refused",
        "request_id",
        "sessions",
        "started_ns",
        "user_agent",
        "visit",
        "waited_seconds",
    )

    def __init__(self, method: str, path: str, request_id: str, arrived_at: int, started_ns: int) -> None:
        self.method = method
        self.path = path
        self.request_id = request_id
        self.arrived_at = arrived_at
        self.started_ns = started_ns
        self.address: str | None = None
        self.user_agent: str | None = None
        self.operation: Operation | None = None
        self.path_params: dict[str, Any] = {}
        self.principal: Principal | None = None
        self.digest: bytes | None = None
        self.sessions: list[Any] | None = None
        self.claim: Claim | None = None
        self.refused: Refused | None = None
        self.headers: list[Header] = []
        self.origin = ""
        self.is_same_origin = False
        self.embed_key: str | None = None
        self.visit: Visit | None = None
        self.waited_seconds = 0.0


CURRENT: ContextVar[Call | None] = ContextVar("keyrack_call", default=None)
"""The call that this task is serving; None outside the gate."""
