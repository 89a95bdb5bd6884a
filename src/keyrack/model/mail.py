"""Mail: what the product writes to people by itself, always one thing at a time, with at most one link to it."""

from dataclasses import dataclass, field
from enum import StrEnum


class MailKind(StrEnum):
    """What waits in the outbox: a letter that is written already, or the wish for a link to choose a new password.

    A link of that kind is made when its letter is sent, so that asking for one takes as long for an unknown email as for a known one.
    """

    LETTER = "letter"
    PASSWORD = "password"


@dataclass(frozen=True, slots=True)
class Letter:
    """What one mail says, before it is rendered. `link` leads to what it asks for, and may hold a secret: the repr hides it.

    Mail that comes again and again has a `stop`: the address at which whoever reads it ends that, without signing in. It answers a POST
    of the mail program's, too (RFC 8058).
    """

    to: str
    subject: str
    lines: tuple[str, ...]
    link: str | None = field(default=None, repr=False)
    link_label: str = ""
    stop: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, ready to be sent. `id` is the same at every attempt, so that a receiver can tell a repetition."""

    id: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    stop: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail in the outbox. `sealed` is its letter; times are milliseconds since the epoch; `attempts` have been made to send it."""

    id: str
    kind: MailKind
    sealed: bytes = field(repr=False)
    created_at: int
    due_at: int
    attempts: int = 0
