"""What a refusal is: a code with its page in the docs, and the exception as which it travels to the caller."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SAID = "x-refusals"
"""Under which name a route says, in the `openapi_extra` of FastAPI, by which codes it refuses."""

_CODE = re.compile(r"[a-z][a-z0-9_]{2,63}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way to say no.

    `title` never changes between occurrences (RFC 9457 §3.1.3); `cause` tells why it happens, `remedy` what the reader does about it, both
    in Markdown; `retryable` says whether the very same call may succeed later without a change on the caller's side.
    Raises ValueError for one that explains nothing: what a caller can get stands in the docs.
    """

    code: str
    status: int
    title: str
    cause: str
    remedy: str
    retryable: bool = False

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code) or not 400 <= self.status <= 599:
            raise ValueError(f"{self.code!r} with status {self.status}: a code is snake_case, and its status 400 to 599")
        if not (self.title.strip() and self.cause.strip() and self.remedy.strip()):
            raise ValueError(f"the refusal {self.code!r} needs a title, a cause and a remedy: its page in the docs is made of them")

    def __call__(
        self,
        detail: str,
        *,
        param: str | None = None,
        errors: Sequence[Mapping[str, object]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> "Refused":
        """Return the exception that refuses this call: `raise refusals.NOT_FOUND("…")`."""
        return Refused(self, detail, param=param, errors=tuple(errors), headers=dict(headers or {}), extra=dict(extra or {}))


def saying(*refusals: Refusal) -> dict[str, list[str]]:
    """Return what a FastAPI route says, as its `openapi_extra`, of the refusals of its own: all that are not the gate's."""
    return {SAID: [refusal.code for refusal in refusals]}


@dataclass(eq=False)
class Refused(Exception):
    """A refusal on its way to the caller, with what is particular to this occurrence.

    `param` is the field or parameter at fault; `errors` lists several of them; `headers` go onto the answer; `extra` are further
    members of the problem document.
    """

    refusal: Refusal
    detail: str
    param: str | None = None
    errors: tuple[Mapping[str, object], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    extra: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.refusal.code}: {self.detail}"
