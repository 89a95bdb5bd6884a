"""The call's line in the request log, appended to the local spool before its answer is complete (CONSISTENCY §8)."""

import time
import traceback

import structlog

from keyrack.model.calls import Call
from keyrack.model.refusals import STORE_UNAVAILABLE, Refused
from keyrack.model.request_logs import PATH_LENGTH_MAX, REASON_LENGTH_MAX, USER_AGENT_LENGTH_MAX, Mask, RequestLog, encode
from keyrack.store.spool import Spool, SpoolFull

log = structlog.get_logger("keyrack.gate")
TRACEBACK_LENGTH_MAX = 16_384
LINE_LENGTH_MAX = 500


class Recorder:
    """Records every call exactly once. A call that could not be recorded is refused before its handler runs."""

    def __init__(self, spool: Spool, mask: Mask) -> None:
        self._spool = spool
        self._mask = mask

    def reserve(self) -> None:
        """Keep room for the line of a call that begins. Raises Refused 503: better no answer than an unlogged one."""
        try:
            self._spool.reserve()
        except SpoolFull as error:
            raise STORE_UNAVAILABLE("The request log has no room, so no call is served.", headers={"Retry-After": "5"}) from error

    def report(self, event: str, call: Call, error: BaseException) -> None:
        """Log a crash for the operator: its traceback without the values of variables, which may be secrets, and masked."""
        told = "".join(traceback.format_exception(error))[-TRACEBACK_LENGTH_MAX:]
        lines = [self._mask(line, LINE_LENGTH_MAX) for line in told.splitlines()]
        log.error(event, request_id=call.request_id, method=call.method, path=self._mask(call.path, PATH_LENGTH_MAX), traceback=lines)

    def record(self, call: Call, status: int, refused: Refused | None) -> None:
        """Append the line of a call that reserved its room. When this returns, it outlives the process."""
        principal, operation, mask = call.principal, call.operation, self._mask
        duration_us = (time.monotonic_ns() - call.started_ns) // 1000
        route = operation.template if operation is not None else None
        # A path that is its own template says nothing that the host's code does not.
        path = route if route == call.path else mask(call.path, PATH_LENGTH_MAX)
        agent = mask(call.user_agent, USER_AGENT_LENGTH_MAX) if call.user_agent else None
        code = refused.refusal.code if refused is not None else None
        reason = mask(refused.detail, REASON_LENGTH_MAX) if refused is not None else None
        if principal is None:
            line = RequestLog(
                call.request_id,
                call.arrived_at,
                None,
                path,
                route,
                call.method,
                status,
                code,
                ip_address=call.address,
                user_agent=agent,
                duration_us=duration_us,
                reason=reason,
            )
        else:
            line = RequestLog(
                call.request_id,
                call.arrived_at,
                principal.workspace.id,
                path,
                route,
                call.method,
                status,
                code,
                principal.kind,
                principal.credential_id,
                principal.credential_name,
                principal.integration_id,
                principal.member_id,
                principal.app_id,
                principal.grant_id,
                principal.mode,
                call.address,
                agent,
                duration_us,
                reason,
            )
        self._spool.append(encode(line))
