"""May they? Pure: the principal's masks against what the operation needs."""

from collections.abc import Mapping
from typing import Any

from keyrack.model.catalog import Operation
from keyrack.model.permissions import EMBED_KEY, VISITOR, Need, OrgAccess
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, NOT_FOUND, Refused

ORG_ADMIN = "org_admin"


def authorize(principal: Principal, operation: Operation, path_params: Mapping[str, Any]) -> None:
    """Let the call pass, or raise Refused: 403, or the 404 that a stranger would get.

    An operation with `space="object"` passes here: only the loaded object knows its space, and the handler must ask.
    """
    need = operation.need
    if need is None:
        return
    if principal.embedded is not None and need not in (EMBED_KEY, VISITOR):
        # Also where only the handler could tell: it never runs for a page of somebody else.
        raise missing(principal, need, f"{operation.method} {operation.template}")
    if not need.in_spaces:
        if not (principal.masks.write if need.write else principal.masks.read) & need.bit:
            raise missing(principal, need, f"{operation.method} {operation.template}")
    elif need.space != "object":
        authorize_in_space(principal, need, str(path_params[need.space or ""]), f"{operation.method} {operation.template}")


def authorize_in_space(principal: Principal, need: Need, space_id: str, what: str) -> None:
    """Let a call into a space, or raise Refused. Without any role there, the space looks exactly like a missing one."""
    role = principal.masks.spaces.get(space_id)
    if role is None:
        raise NOT_FOUND("No such space.")
    if role.level < need.level:
        raise INSUFFICIENT_PERMISSION(f"{what} needs {need.text} in this space; this caller is its {role.value}.", headers=_challenge(need))


def missing(principal: Principal, need: Need, what: str) -> Refused:
    """Return the refusal that names what is needed and what there is."""
    has = principal.describe()
    if need.declared == ORG_ADMIN and principal.rights.org_access is OrgAccess.NONE:
        # No permission adds up to it, not even all of them.
        has += ", and no org-level access"
    return INSUFFICIENT_PERMISSION(f"{what} needs {need.text}; {has}.", headers=_challenge(need))


def _challenge(need: Need) -> dict[str, str]:
    # RFC 6750 §3.1: insufficient_scope, with the scope that would do, as one token.
    return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{need.declared}"'}
