"""What a browser asks before a page of another origin may call: answered without CORS headers, but for an embed key's own origins.

A preflight carries no credential, so the key stands in the URL of what it asks for: docs/decisions/0014.
"""

from starlette.types import Scope, Send

from keyrack.gate.respond import Answer
from keyrack.gate.walk import Walk
from keyrack.model.calls import Call
from keyrack.model.limits import Header
from keyrack.model.permissions import EMBED_KEY, VISITOR
from keyrack.model.refusals import Refused

ASKED = b"access-control-request-method"


def is_preflight(scope: Scope) -> bool:
    """Whether a call asks what another one may do."""
    return scope["method"] == "OPTIONS" and any(name == ASKED for name, _ in scope["headers"])


async def answer_preflight(parts: Walk, call: Call, scope: Scope, send: Send) -> None:
    """Answer a preflight, and record it."""
    answer = Answer(call, scope, send, parts.recorder, parts.problems)
    try:
        parts.recorder.reserve()
        answer.reserved = True
        method = parts.heads.read(call, scope)[ASKED].decode("latin-1")
        await answer.send({"type": "http.response.start", "status": 204, "headers": await _allowed(parts, call, method)})
    except Refused as refused:
        await answer.refuse(refused)


async def _allowed(parts: Walk, call: Call, method: str) -> list[Header]:
    # A browser page must not be able to send a secret credential from another origin: so only what takes no other than these two.
    match = parts.table.find(method, call.path)
    if match is None or match.route is None or match.route.operation.need not in (EMBED_KEY, VISITOR):
        return []
    principal = await parts.authenticator.named(call)
    if principal is None or principal.embedded is None:
        return []
    return parts.authenticator.visitors.preflight(call, method, principal.embedded)
