"""How often is sent and how long is waited is bounded, whatever comes back."""

from typing import Any

import http_sf
from hypothesis import given
from hypothesis import strategies as st

from keyrack.client.answers import Budget, answer_of
from keyrack.client.attempts import BACKOFF_SECONDS_MAX, SPREAD_SECONDS, Attempt, Outcome, Rules, attempts, pause_seconds
from keyrack.client.errors import KeyrackError, NoAnswerError, TimedOutError

RETRY_AFTER = st.one_of(st.none(), st.integers(0, 100).map(str), st.text(max_size=40))


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    """What may come of an attempt."""
    if draw(st.booleans()):
        return draw(st.sampled_from([NoAnswerError("cut"), TimedOutError("late"), NoAnswerError("malformed", retryable=False)]))
    asked = draw(RETRY_AFTER)
    headers = {"content-type": "application/problem+json", **({} if asked is None else {"retry-after": asked})}
    body = draw(st.sampled_from([b"", b"{}", b"[]", b"{", b'{"retryable": true}', b'{"retryable": false}', b'{"retryable": 1}']))
    return answer_of(draw(st.sampled_from([200, 204, 302, 400, 401, 409, 429, 500, 503])), headers, body)


@given(st.data(), st.integers(0, 5), st.floats(0.1, 60), st.floats(0.1, 60))
def test_call_ends_within_its_attempts_and_its_time(data: st.DataObject, retries_max: int, timeout: float, seconds_max: float) -> None:
    now, sent, met = 0.0, 0, False
    going = attempts(Rules(timeout, retries_max, seconds_max), lambda: now, lambda: data.draw(st.floats(0, 1)))
    outcome: Outcome = None
    try:
        while True:
            step = going.send(outcome)
            assert 0 <= step.seconds <= seconds_max - now
            if isinstance(step, Attempt):
                sent += 1
                assert step.seconds <= timeout
                now += data.draw(st.floats(0, step.seconds))
                outcome = data.draw(outcomes())
            else:
                now += step.seconds
                outcome = None
    except StopIteration as over:
        met = 200 <= over.value.status < 300
    except KeyrackError:
        met = True
    assert met
    assert 1 <= sent <= retries_max + 1
    assert now <= seconds_max


@given(st.integers(0, 100), st.floats(0, 1), st.integers(0, 10_000))
def test_server_says_how_long_to_wait_else_the_wait_grows_to_a_bound(number: int, chance: float, asked: int) -> None:
    told = pause_seconds(answer_of(429, {"retry-after": str(asked)}, b""), number, chance)
    own = pause_seconds(answer_of(503, {}, b""), number, chance)
    assert told is not None
    assert own is not None
    assert asked <= told <= asked + SPREAD_SECONDS
    assert 0 < own <= BACKOFF_SECONDS_MAX


@given(st.text(max_size=200), st.text(max_size=200), st.binary(max_size=50))
def test_any_headers_and_any_body_can_be_read(limits: str, asked: str, body: bytes) -> None:
    answer = answer_of(
        429, {"ratelimit": limits, "ratelimit-policy": limits, "retry-after": asked, "content-type": "application/json"}, body
    )
    assert isinstance(answer.rate_limits, dict)
    assert (answer.retry_after_seconds or 0) >= 0
    assert repr(answer)


NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)
NUMBERS = st.integers(0, 10**9)


@given(st.dictionaries(NAMES, st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.binary(max_size=4)), min_size=1, max_size=5))
def test_what_is_left_is_read_as_structured_fields_are_written(limits: dict[str, tuple[int, int, int, int, bytes]]) -> None:
    """RFC 9651 §3.1, written by an independent library."""
    left: Any = [(name, {"r": r, "t": t, "pk": key}) for name, (r, t, _, _, key) in limits.items()]
    policies: Any = [(name, {"q": q, "w": w, "qu": "requests;r=7", "pk": key}) for name, (_, _, q, w, key) in limits.items()]
    answer = answer_of(200, {"ratelimit": http_sf.ser(left), "ratelimit-policy": http_sf.ser(policies)}, b"")
    assert answer.rate_limits == {name: Budget(name, r, t, q, w) for name, (r, t, q, w, _) in limits.items()}
