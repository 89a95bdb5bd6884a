"""Sending mail: what the outbox holds goes out through SMTP or Resend, and is tried again until it does. Nobody waits for it."""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib
import httpx
import structlog

from keyrack.manage import mail, passwords
from keyrack.manage.desk import Desk
from keyrack.model.mail import Mail, MailKind, Waiting
from keyrack.settings import Settings
from keyrack.store import outbox

log = structlog.get_logger("keyrack.mail")
AT_ONCE = 20
CLAIM_SECONDS = 120
SEND_SECONDS_MAX = 20.0
ATTEMPTS_MAX = 14
PAUSE_SECONDS_MAX = 6 * 3600

Send = Callable[[Mail], Awaitable[None]]


class Undeliverable(Exception):
    """The receiver will never take this mail."""


def sender(settings: Settings) -> Send | None:
    """Return what sends a mail, as the operator has set it up; None where no mail goes out."""
    if settings.smtp_url is not None:
        return Smtp(settings.smtp_url.get_secret_value(), settings.mail_from or "").send
    if settings.resend_key is not None:
        return Resend(settings.resend_url, settings.resend_key.get_secret_value(), settings.mail_from or "").send
    return None


async def deliver(desk: Desk, send: Send) -> int:
    """Send what is due, and return how many mails went out."""
    now = desk.now()
    async with desk.store.reading() as c:
        if not await outbox.is_due(c, now):
            return 0
    async with desk.store.changing() as c:
        claimed = await outbox.claim(c, now=now, until=now + CLAIM_SECONDS * 1000, limit=AT_ONCE)
    return sum([await _one(desk, send, waiting) for waiting in claimed])


async def _one(desk: Desk, send: Send, waiting: Waiting) -> bool:
    """Send one mail. Returns whether it went out; otherwise it waits for its next turn, or was given up."""
    try:
        written = await _written(desk, waiting)
        if written is not None:
            await send(written)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the mail is kept
        await _keep(desk, waiting, error)
        return False
    async with desk.store.changing() as c:
        await outbox.sent(c, waiting.id)
    return written is not None


async def _written(desk: Desk, waiting: Waiting) -> Mail | None:
    """Return the mail that waits; None where the one who asked for a new password is nobody."""
    if waiting.kind is MailKind.LETTER:
        return mail.rendered(desk, waiting.id, mail.letter_in(desk, waiting))
    to = mail.wished_by(desk, waiting)
    made = await passwords.mailed_link(desk, to)
    return None if made is None else mail.rendered(desk, waiting.id, mail.password_letter(desk, to, made[1], made[0]))


async def _keep(desk: Desk, waiting: Waiting, error: Exception) -> None:
    # An error's own words may quote the mail: only its kind is told.
    gives_up = isinstance(error, Undeliverable | ValueError) or waiting.attempts >= ATTEMPTS_MAX
    log.warning("mail_not_sent", mail=waiting.id, attempts=waiting.attempts, gave_up=gives_up, error=type(error).__name__)
    async with desk.store.changing() as c:
        if gives_up:
            await outbox.give_up(c, waiting.id, desk.now())
        else:
            pause = min(15 * 2**waiting.attempts, PAUSE_SECONDS_MAX)
            await outbox.again(c, waiting.id, desk.now() + pause * 1000)


class Smtp:
    """Sends through the operator's mail server: TLS from the beginning with `smtps`, else by STARTTLS where the server offers it."""

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        self._from = sender

    async def send(self, one: Mail) -> None:
        """Send a mail. Raises Undeliverable where the server will never take it, whatever else went wrong for now."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._from, one.to, one.subject
        message["Message-ID"] = f"<{one.id}@{self._from.rpartition('@')[2].strip('> ')}>"
        message["Auto-Submitted"] = "auto-generated"
        for name, value in _stopping(one).items():
            message[name] = value
        message.set_content(one.text)
        message.add_alternative(one.html, subtype="html")
        secure = self._url.scheme == "smtps"
        try:
            await aiosmtplib.send(
                message,
                hostname=self._url.hostname or "localhost",
                port=self._url.port or (465 if secure else 587),
                username=unquote(self._url.username) if self._url.username else None,
                password=unquote(self._url.password) if self._url.password else None,
                use_tls=secure,
                # A password never goes over a line that anybody reads.
                start_tls=False if secure else (True if self._url.username else None),
                timeout=SEND_SECONDS_MAX,
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            if all(500 <= one.code < 600 for one in refused.recipients):
                raise Undeliverable from None
            raise


class Resend:
    """Sends through Resend's HTTP API. Its `Idempotency-Key` makes a repeated attempt the same mail."""

    def __init__(self, url: str, key: str, sender: str) -> None:
        self._url = f"{url.rstrip('/')}/emails"
        self._key = key
        self._from = sender

    async def send(self, one: Mail) -> None:
        """Send a mail. Raises Undeliverable where Resend will never take it, httpx.HTTPError where it may later."""
        headers = {"headers": _stopping(one)} if one.stop else {}
        async with httpx.AsyncClient(timeout=SEND_SECONDS_MAX, trust_env=False, follow_redirects=False) as client:
            answer = await client.post(
                self._url,
                headers={"Authorization": f"Bearer {self._key}", "Idempotency-Key": one.id},
                json={"from": self._from, "to": [one.to], "subject": one.subject, "text": one.text, "html": one.html} | headers,
            )
        if answer.status_code in (400, 422):
            raise Undeliverable
        answer.raise_for_status()


def _stopping(one: Mail) -> dict[str, str]:
    """The headers by which mail programs offer to end mail that comes again and again (RFC 2369 §3.2, RFC 8058 §3.1)."""
    return {"List-Unsubscribe": f"<{one.stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if one.stop else {}
