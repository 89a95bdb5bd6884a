"""One request, in order. Identity first, so that everything after it is keyed on who is calling."""

import asyncio
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from keyrack.gate.authenticate import Authenticator
from keyrack.gate.authorize import authorize
from keyrack.gate.bodies import body_cut_short, limited
from keyrack.gate.callers import CurrentCaller
from keyrack.gate.head import HeadReader
from keyrack.gate.limit import Limiter
from keyrack.gate.problems import Problems
from keyrack.gate.record import Recorder
from keyrack.gate.replay import Replays
from keyrack.gate.respond import Answer
from keyrack.gate.streams import StreamEnded
from keyrack.gate.table import Match, Table
from keyrack.gate.versions import VersionGate
from keyrack.model.calls import CURRENT, Call
from keyrack.model.permissions import Category
from keyrack.model.refusals import INTERNAL_ERROR, Refused


@dataclass(frozen=True)
class Walk:
    """The parts that one request passes, in the order of their use."""

    heads: HeadReader
    authenticator: Authenticator
    limiter: Limiter
    replays: Replays
    recorder: Recorder
    problems: Problems
    table: Table
    categories: dict[str, Category]
    body_bytes_max: int
    versions: VersionGate


# fmt: off
async def walk(parts: Walk, call: Call, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
    """Take one HTTP request through the gate; `match` is what the table says of it."""
    answer = Answer(call, scope, send, parts.recorder, parts.problems)
    answer.headers.append(parts.versions.header)
    token = CURRENT.set(call)
    try:
        parts.recorder.reserve()                                                       # 503, rather than an unlogged answer
        answer.reserved = True
        headers = parts.heads.read(call, scope)                                        # 400, 431
        if not match.public:
            principal = parts.authenticator.cached(call, headers) or await parts.authenticator.look_up(call)   # 401
            route = match.route or parts.table.require(match, call.path)               # 404, 405
            authorize(principal, route.operation, match.path_params)                   # 403, or the 404 of a stranger
            left = parts.limiter.take(principal, route.operation)                      # 429
            answer.headers += left or await parts.limiter.ask(principal, route.operation)
            answer.caller = CurrentCaller(principal, call, parts.categories, parts.authenticator)
            scope["keyrack"] = answer.caller
        else:
            route = match.route or parts.table.require(match, call.path)               # 405
        app = parts.versions.app(route, call, headers, scope, answer.headers)          # 400, 410; at an older version not the route's own
        receive = limited(receive, call, headers, parts.body_bytes_max)                # 413
        if b"idempotency-key" in headers:
            receive = await answer.begin(parts.replays, headers, receive)              # 400, 409, 422, or the stored answer
        if not answer.complete:
            await app(scope, receive, answer.send)                                     # the handler, and its commit
        if call.refused is not None:
            raise call.refused
        if answer.waits:
            await answer.release()                                                     # what a replay keeps has to be over first
    except Refused as refused:
        await answer.refuse(refused)
    except ClientDisconnect:
        await answer.refuse(body_cut_short())
    except (StreamEnded, asyncio.CancelledError) as ended:
        answer.end_stream(ended)
    except Exception as error:  # noqa: BLE001 - a crash becomes a 500 without internals
        parts.recorder.report("handler_failed", call, error)
        await answer.refuse(INTERNAL_ERROR("An error on our side stopped this call. Nothing of it was stored."))
    finally:
        if not answer.closed:
            await answer.close()                                                       # recorded, whatever happened
        CURRENT.reset(token)
