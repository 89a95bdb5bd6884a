"""Where the time of one call goes: each step of the walk by itself, in µs.

A step in a loop of its own is faster than inside a call, where its code and data have to be fetched again: so the steps add up to less
than a call, and the rest is named as such.
"""

import time
from collections.abc import Callable, Coroutine
from statistics import median
from typing import Any

from bench.hosts import BODY, PATH
from bench.in_process import Rig, receive, rig, send
from bench.stock import Stock
from keyrack.crypto.digest import digest
from keyrack.gate.authorize import authorize
from keyrack.gate.bodies import limited
from keyrack.gate.callers import CurrentCaller
from keyrack.gate.respond import Answer
from keyrack.model.calls import CURRENT, Call

Step = Callable[[int], object]
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), (b"content-length", b"27")]}
END = {"type": "http.response.body", "body": BODY}


async def measure(stock: Stock, key_count: int, rounds: int, batch: int) -> dict[str, float]:
    """Return µs per step, in the order of the walk."""
    async with rig(stock, key_count) as made:
        for number in range(key_count):
            await made.app(made.batch(number, 1)[0], receive, send)
        nothing = _time(lambda n: None, rounds, batch)
        return {name: max(_time(step, rounds, batch) - nothing, 0.0) for name, step in _steps(made).items()}


def _steps(made: Rig) -> dict[str, Step]:
    walk, scopes = made.walk, made.scopes
    now_ms = time.time_ns() // 1_000_000
    calls = [_call(made, now_ms) for _ in scopes]
    heads = [walk.heads.read(call, scope) for call, scope in zip(calls, scopes, strict=True)]
    principals = [walk.authenticator.cached(call, head) for call, head in zip(calls, heads, strict=True)]
    secrets = [head[b"authorization"][7:] for head in heads]
    match = walk.table.find("GET", PATH)
    assert match is not None
    assert match.route is not None
    operation = match.route.operation
    count = len(scopes)
    callers = [CurrentCaller(p, c, walk.categories, walk.authenticator) for p, c in zip(principals, calls, strict=True) if p is not None]

    def answer(n: int) -> None:
        one = Answer(calls[n % count], scopes[n % count], send, walk.recorder, walk.problems)
        one.headers += walk.limiter.take(callers[n % count].principal, operation)
        for coroutine in (one.send(START), one.send(END), one.close()):
            _finish(coroutine)

    def record(n: int) -> None:
        walk.recorder.reserve()
        walk.recorder.record(calls[n % count], 200, None)

    def current(n: int) -> None:
        CURRENT.reset(CURRENT.set(calls[n % count]))

    feed, cache = made.assembly.feed, made.assembly.cache
    digests = [digest(secret) for secret in secrets]
    return {
        "make the call, with its id and times": lambda n: _call(made, now_ms),
        "find its operation": lambda n: walk.table.find("GET", PATH),
        "note it for the handler": current,
        "read its head": lambda n: walk.heads.read(calls[n % count], scopes[n % count]),
        "digest": lambda n: digest(secrets[n % count]),
        "change check": lambda n: feed.current(),
        "find its principal": lambda n: cache.entries.get(digests[n % count]),
        "authenticate (the three above, and the rest)": lambda n: walk.authenticator.cached(calls[n % count], heads[n % count]),
        "authorize": lambda n: authorize(callers[n % count].principal, operation, {}),
        "limits": lambda n: walk.limiter.take(callers[n % count].principal, operation),
        "the caller for the handler": lambda n: CurrentCaller(
            callers[n % count].principal, calls[n % count], walk.categories, walk.authenticator
        ),
        "limit its body": lambda n: limited(receive, calls[n % count], heads[n % count], walk.body_bytes_max),
        "reserve and append its line": record,
        "answer (limits and line included)": answer,
    }


def _call(made: Rig, now_ms: int) -> Call:
    call = Call("GET", PATH, made.assembly.request_ids.new(now_ms), now_ms, time.monotonic_ns())
    return call


def _finish(coroutine: Coroutine[Any, Any, None]) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("a step waited for something")


def _time(step: Step, rounds: int, batch: int) -> float:
    samples = []
    for number in range(rounds):
        started = time.perf_counter_ns()
        for n in range(number * batch, (number + 1) * batch):
            step(n)
        samples.append((time.perf_counter_ns() - started) / batch / 1000)
    return median(samples)
