"""How often a call is sent, and how long is waited in between: decided without I/O, for both senders."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count

from keyrack.client.answers import Answer
from keyrack.client.errors import KeyrackError, NoAnswerError, TimedOutError, error_of

BACKOFF_SECONDS = 0.5
BACKOFF_SECONDS_MAX = 8.0
SPREAD_SECONDS = 0.25
"""What is waited beyond `Retry-After`, at most, so that many clients do not come back at the same moment."""
_FROM_A_PROXY = frozenset({502, 503, 504})


@dataclass(frozen=True)
class Rules:
    """How much a call may take: `timeout` seconds for each attempt, `retries_max` beside the first, `seconds_max` for all of it."""

    timeout: float
    retries_max: int
    seconds_max: float

    def __post_init__(self) -> None:
        if not (0 < self.timeout < float("inf") and 0 < self.seconds_max < float("inf") and 0 <= self.retries_max <= 100):
            raise ValueError("timeout and total_timeout are seconds above 0, max_retries is 0 to 100")


@dataclass(frozen=True)
class Attempt:
    """Send the call, and wait for its answer for so many seconds at most."""

    seconds: float


@dataclass(frozen=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


Step = Attempt | Pause
Outcome = Answer | KeyrackError | None


def attempts(rules: Rules, clock: Callable[[], float], chance: Callable[[], float]) -> Generator[Step, Outcome, Answer]:
    """Say what is to be done next, be sent what came of it, and return the answer that is a success.

    A pause is answered by None. Raises KeyrackError when the call has failed for good. `clock` is in seconds, `chance` from 0 to 1.
    """
    ends = clock() + rules.seconds_max
    for number in count():
        left = ends - clock()
        if left <= 0:
            raise TimedOutError(f"No answer within {rules.seconds_max:g} s.")
        outcome = yield Attempt(min(rules.timeout, left))
        if isinstance(outcome, Answer) and 200 <= outcome.status < 300:
            return outcome
        error = error_of(outcome) if isinstance(outcome, Answer) else outcome
        assert error is not None
        pause = pause_seconds(outcome, number, chance())
        if number >= rules.retries_max or pause is None or clock() + pause >= ends:
            raise error
        yield Pause(pause)
    raise AssertionError("counting never ends")


def pause_seconds(outcome: Outcome, number: int, chance: float) -> float | None:
    """Return how long to wait before the next attempt; None where the same call would fail again.

    The server's own `Retry-After` counts, else the wait doubles with each attempt, up to a bound.
    """
    backoff = min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS * 2**number) * (0.5 + chance / 2)
    if isinstance(outcome, NoAnswerError):
        return backoff if outcome.retryable else None
    if not isinstance(outcome, Answer) or not _may_pass_later(outcome):
        return None
    asked = outcome.retry_after_seconds
    return backoff if asked is None else asked + chance * SPREAD_SECONDS


def _may_pass_later(answer: Answer) -> bool:
    if isinstance(retryable := answer.get("retryable"), bool):
        return retryable
    # Whoever stands in front of the API answers in its own form.
    return answer.status == 429 or answer.status in _FROM_A_PROXY
