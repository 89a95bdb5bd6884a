"""What the client raises. Every error is a `KeyrackError`; a mistake in how the client itself is used is a ValueError."""

from collections.abc import Mapping
from typing import Any

from keyrack.client.answers import Answer


class KeyrackError(Exception):
    """A call went wrong. Its text never holds a secret."""


class NoAnswerError(KeyrackError):
    """No answer came: the connection could not be made, or was cut. Whether the call was carried out is unknown.

    `retryable` says whether sending it again may help.
    """

    def __init__(self, text: str, *, retryable: bool = True) -> None:
        super().__init__(text)
        self.retryable = retryable


class TimedOutError(NoAnswerError):
    """No answer came in time. Whether the call was carried out is unknown."""


class UnreadableAnswerError(KeyrackError):
    """An answer came that is none of this API: a redirect, no JSON, another shape, or too large. `answer` is what came, if it was whole."""

    def __init__(self, text: str, answer: Answer | None = None) -> None:
        super().__init__(text)
        self.answer = answer


class WebhookVerificationError(KeyrackError):
    """A delivery that nobody signed with these secrets, or too long ago."""


class StatusError(KeyrackError):
    """An answer that says no: its status is 400 or more. `answer` is all of it.

    The facts are those of its problem document (RFC 9457); where a proxy answered in another form, they are None.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.status = answer.status
        super().__init__(self._told())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.answer,)

    @property
    def code(self) -> str | None:
        """Which refusal it is: `insufficient_permission`. The page `doc_url` explains it."""
        return self._text("code")

    @property
    def detail(self) -> str | None:
        """What is particular to this call, for people."""
        return self._text("detail")

    @property
    def param(self) -> str | None:
        """The field or parameter at fault."""
        return self._text("param")

    @property
    def request_id(self) -> str | None:
        """The call's line in the request log; tell it to support."""
        return self._text("request_id") or self.answer.request_id

    @property
    def request_log_url(self) -> str | None:
        """Where people read that line."""
        return self._text("request_log_url")

    @property
    def doc_url(self) -> str | None:
        """The page that explains the code."""
        return self._text("doc_url")

    @property
    def retryable(self) -> bool:
        """Whether the very same call may succeed later without a change."""
        return self.answer.get("retryable") is True

    @property
    def errors(self) -> list[Mapping[str, Any]]:
        """What is wrong with each field: `code`, `param`, `pointer`, `detail`, `fix`."""
        found = self.answer.get("errors")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @property
    def fix(self) -> str | None:
        """What to send instead, where the server has said so for one of the `errors`."""
        return next((one["fix"] for one in self.errors if isinstance(one.get("fix"), str)), None)

    @property
    def retry_after_seconds(self) -> float | None:
        """How long the server asks to wait."""
        return self.answer.retry_after_seconds

    def _text(self, name: str) -> str | None:
        value = self.answer.get(name)
        return value if isinstance(value, str) else None

    def _told(self) -> str:
        parts = [f"{self.status} {self.code}: {self.detail}" if self.code else f"{self.status}, in no form that this API has"]
        if self.fix:
            parts.append(self.fix)
        if self.request_id:
            parts.append(f"(request {self.request_id})")
        return " ".join(parts)


class InvalidRequestError(StatusError):
    """The call itself is wrong: `param` and `errors` say where. 400, and other statuses below 500 that have no class of their own."""


class IdempotencyKeyReusedError(InvalidRequestError):
    """The idempotency key was sent before with another call."""


class AuthenticationError(StatusError):
    """401: the credential is missing, unknown, expired, disabled or revoked."""


class PermissionDeniedError(StatusError):
    """403: the credential is good and lacks a right."""


class NotFoundError(StatusError):
    """404: nothing there that this credential may know of."""


class ConflictError(StatusError):
    """409: the object's present state forbids it."""


class AlreadyDoneError(ConflictError):
    """A retry of a call that was carried out, whose answer was not kept: for it held a secret (`shown_once`), or was lost."""

    @property
    def made(self) -> list[Mapping[str, Any]]:
        """What the call made: `object` and `id` of each. A key among it can be rotated to get a secret."""
        found = self.answer.get("made")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


class GoneError(StatusError):
    """410: a link, or a version of the API, whose end is over."""


class RateLimitError(StatusError):
    """429: a limit is used up. `retry_after_seconds` says until when."""

    @property
    def violated_policies(self) -> list[str]:
        """The names of the limits or meters that refused the call."""
        found = self.answer.get("violated-policies")
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


class QuotaExceededError(RateLimitError):
    """What the plan allows is used: in this day or month, or of what may exist."""


class ServerError(StatusError):
    """5xx: an error on the other side."""


_BY_CODE: dict[str, type[StatusError]] = {
    "answer_lost": AlreadyDoneError,
    "idempotency_key_reused": IdempotencyKeyReusedError,
    "quota_exceeded": QuotaExceededError,
    "shown_once": AlreadyDoneError,
}
_BY_STATUS: dict[int, type[StatusError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    429: RateLimitError,
}


def error_of(answer: Answer) -> KeyrackError:
    """Return the error that an answer which is no success stands for."""
    if answer.status < 400:
        return UnreadableAnswerError(f"The address answers {answer.status}, which is not followed: is it the API's?", answer)
    other = ServerError if answer.status >= 500 else InvalidRequestError
    code = answer.get("code")
    return _BY_CODE.get(code if isinstance(code, str) else "", _BY_STATUS.get(answer.status, other))(answer)
