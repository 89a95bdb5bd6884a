"""Mail: letters are put into the outbox together with what they tell of, sealed, and rendered in the brand's name when they are sent."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from keyrack.crypto.format import Secret
from keyrack.manage.desk import Desk
from keyrack.manage.members import checked_email
from keyrack.model.invitations import Invitation
from keyrack.model.keys import Key
from keyrack.model.leaks import Ended, Finder
from keyrack.model.mail import Letter, Mail, MailKind, Waiting
from keyrack.model.times import iso
from keyrack.model.workspaces import Workspace
from keyrack.store import outbox
from keyrack.store.database import Connection
from keyrack.store.ids import new_id

INVITATION_PATH = "/console/invitation"
PASSWORD_PATH = "/console/new-password"
SET_UP_PATH = "/console/set-up"
PORTAL_PATH = "/console/portal"
NAMED_MAX = 10
"""How many keys one letter names."""

LETTERS = Path(__file__).parent / "letters"
_templates = Environment(loader=FileSystemLoader(LETTERS), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def link_url(base_url: str, path: str, secret: Secret) -> str:
    """Return the address of a link for the one person who may follow it: in mail, on a page that shows it once, or at a command line."""
    return f"{base_url.rstrip('/')}{path}?link={secret.text}"


async def queue(desk: Desk, c: Connection, letter: Letter) -> None:
    """Put a letter into the outbox, in the transaction of what it tells of. Does nothing where no mail is set up."""
    if desk.outside.sends_mail:
        await _add(desk, c, MailKind.LETTER, asdict(letter))


def mail_row(desk: Desk, dialect_name: str, letter: Letter) -> object | None:
    """Return a letter in the outbox as an object for a host's own session; None where no mail is set up. Raises Refused 400."""
    if not desk.outside.sends_mail:
        return None
    return outbox.mail_row(dialect_name, _waiting(desk, MailKind.LETTER, asdict(replace(letter, to=checked_email(letter.to)))))


async def queue_password_link(desk: Desk, c: Connection, email: str) -> None:
    """Put the wish for a link to choose a new password into the outbox, whether or not anybody has this email."""
    await _add(desk, c, MailKind.PASSWORD, {"to": email})


def letter_in(desk: Desk, waiting: Waiting) -> Letter:
    """Return the letter that waits. Raises ValueError where no key opens it."""
    given = _open(desk, waiting)
    return Letter(**{**given, "lines": tuple(given["lines"])})


def wished_by(desk: Desk, waiting: Waiting) -> str:
    """Return the email that wants a link to choose a new password. Raises ValueError where no key opens it."""
    return str(_open(desk, waiting)["to"])


def rendered(desk: Desk, mail_id: str, letter: Letter) -> Mail:
    """Return a letter as a mail, as text and as HTML, in the brand's name."""
    values = {"letter": letter, "brand": desk.brand}
    stop = [f"No more mails like this:\n{letter.stop}"] if letter.stop else []
    text = "\n\n".join([*letter.lines, *([f"{letter.link_label}:\n{letter.link}"] if letter.link else []), f"– {desk.brand.name}", *stop])
    # Names that people chose stand in it, and a header is one line.
    subject = " ".join(letter.subject.split())
    return Mail(mail_id, letter.to, subject, text + "\n", _templates.get_template("letter.html").render(**values), letter.stop)


def invitation_letter(desk: Desk, workspace: Workspace, invitation: Invitation, secret: Secret) -> Letter:
    """Return what somebody who is invited is told."""
    word = desk.brand.words.workspace
    return Letter(
        to=invitation.email,
        subject=f"{invitation.made_by_name} invites you to {workspace.name}",
        lines=(
            f"{invitation.made_by_name} invites you to the {word} “{workspace.name}” on {desk.brand.name}, as {invitation.role.value}.",
            "The link works once, and for a week. Do not forward this mail: whoever follows the link comes in.",
        ),
        link=link_url(desk.outside.base_url or "", INVITATION_PATH, secret),
        link_label="Accept the invitation",
    )


def password_letter(desk: Desk, to: str, name: str, secret: Secret) -> Letter:
    """Return what somebody who asked for a new password is told."""
    return Letter(
        to=to,
        subject=f"Choose a new password for {desk.brand.name}",
        lines=(
            f"Hello {name}, somebody asked for a new password for your sign-in to {desk.brand.name}.",
            "The link works once, and for an hour. If it was not you, there is nothing to do: your password stays as it is.",
        ),
        link=link_url(desk.outside.base_url or "", PASSWORD_PATH, secret),
        link_label="Choose a new password",
    )


def expiry_letter(desk: Desk, to: str, workspace: Workspace, key: Key, days: int) -> Letter:
    """Return what the maker of a key is told that expires soon."""
    word, at = desk.brand.words.key, iso(key.expires_at or 0)
    when = "1 day" if days == 1 else f"{days} days"
    return Letter(
        to=to,
        subject=f"“{key.name}” expires in less than {when}",
        lines=(
            f"The {word} “{key.name}” ({key.prefix}…) of {workspace.name} expires at {at}. From then on every call with it is refused.",
            "Rotate it, or give it another expiry, before that.",
        ),
        link=f"{desk.outside.base_url}/console" if desk.outside.base_url else None,
        link_label="Open the console",
    )


def leak_letter(desk: Desk, to: str, workspace: Workspace, found: Sequence[Ended], finder: Finder, word: str, path: str) -> Letter:
    """Return what those are told who look after keys that leaked, or tokens: `word` says which, and `path` where they are listed.

    What strangers say of the place is left to the console: mail in our name must not lead where they want.
    """
    one = len(found) == 1
    named = [
        f"“{ended.name}” ({ended.prefix}…)" + (f", found at {ended.leak.found_in}" if finder.is_proven and ended.leak.found_in else "")
        for ended in found[:NAMED_MAX]
    ]
    more = [f"and {len(found) - NAMED_MAX} more"] if len(found) > NAMED_MAX else []
    who = finder.name if finder.is_proven else "Somebody who has the secret"
    return Letter(
        to=to,
        subject=f"“{found[0].name}” has leaked, and is revoked" if one else f"{len(found)} {word}s have leaked, and are revoked",
        lines=(
            f"{who} told us of {f'this {word}' if one else f'these {word}s'} of {workspace.name}:",
            *named,
            *more,
            f"{'It was' if one else 'They were'} revoked at once, so whatever used {'it' if one else 'them'} has stopped working.",
            "Create a new one, and keep it where only the program reads it. The request log shows which calls came with the old one.",
        ),
        link=f"{desk.outside.base_url}{path}" if desk.outside.base_url else None,
        link_label="See what happened",
    )


async def _add(desk: Desk, c: Connection, kind: MailKind, content: object) -> None:
    await outbox.add(c, _waiting(desk, kind, content))


def _waiting(desk: Desk, kind: MailKind, content: object) -> Waiting:
    mail_id, now = new_id(), desk.now()
    return Waiting(mail_id, kind, desk.sealers["mail"].seal(json.dumps(content).encode(), mail_id), now, now)


def _open(desk: Desk, waiting: Waiting) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(desk.sealers["mail"].open(waiting.sealed, waiting.id))
    return content
