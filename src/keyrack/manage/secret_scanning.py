"""GitHub's secret scanning partner programme: GitHub tells what it has found, signed, and is told which of it was a secret of ours.

https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program
"""

from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from keyrack.crypto.digest import digest
from keyrack.crypto.ecdsa import is_signed
from keyrack.crypto.format import well_formed
from keyrack.manage import leaks
from keyrack.manage.desk import Desk
from keyrack.model.leaks import GITHUB, Label, Leak
from keyrack.model.limits import Bucket, Limit
from keyrack.model.refusals import INVALID_REQUEST, INVALID_SIGNATURE, TOO_MANY_FAILURES

MATCHES_MAX = 5000
TYPE_LENGTH_MAX = 200
# Whoever sends identifiers that are none makes us ask GitHub, which lets an address ask 60 times an hour.
KEY_FETCHES = Limit("github_key_fetches", quota=30, window_seconds=3600, burst=5)
_BUCKET = Bucket(KEY_FETCHES, blake2b(KEY_FETCHES.name.encode(), digest_size=16).digest())


class _Match(msgspec.Struct):
    """What GitHub has found. It may say more one day."""

    token: str
    type: str = ""
    url: str | None = None
    source: str | None = None

    def __repr__(self) -> str:
        return "_Match(…)"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one match: the SHA-256 of what was found, in hex, the type that GitHub knows it by, and whether it was ours."""

    token_hash: str
    token_type: str
    label: Label


async def judge(desk: Desk, body: bytes, *, identifier: str, signature: str) -> list[Judged]:
    """End every secret of ours that GitHub has found, and return what each match was, in their order.

    `body` is what was signed, byte by byte, with the key that `identifier` names. Raises Refused: `invalid_signature`;
    `store_unavailable` while the keys cannot be had, `too_many_failures` where they were asked for too often; 400 for a body that is
    no list of matches.
    """
    key = await _key(desk, identifier)
    if not is_signed(body, signature, key):
        raise INVALID_SIGNATURE("The signature does not belong to this body and this key.", param="Github-Public-Key-Signature")
    try:
        matches = msgspec.json.decode(body, type=list[_Match])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise INVALID_REQUEST("The body is no JSON array of objects with a token.") from None
    if len(matches) > MATCHES_MAX:
        raise INVALID_REQUEST(f"Send at most {MATCHES_MAX} matches at once.")
    found = [Leak(_digest(one), one.url or "", one.source or "") for one in matches if well_formed(one.token)]
    known = await leaks.end(desk, found, GITHUB)
    return [
        Judged(_digest(one).hex(), one.type[:TYPE_LENGTH_MAX], Label.TRUE_POSITIVE if _digest(one) in known else Label.FALSE_POSITIVE)
        for one in matches
    ]


async def _key(desk: Desk, identifier: str) -> str:
    """Return the key that an identifier names. None is called unknown but by who has asked GitHub since."""
    keys = desk.github_keys
    key = keys.find(identifier, desk.now())
    if key is None:
        async with keys.fetching:
            key = keys.find(identifier, desk.now())
            if key is None:
                _count_fetch(desk)
                await keys.fetch(desk.now())
                key = keys.find(identifier, desk.now())
    if key is None:
        raise INVALID_SIGNATURE("GitHub has no public key with this identifier.", param="Github-Public-Key-Identifier")
    return key


def _count_fetch(desk: Desk) -> None:
    taken = desk.counters.take((_BUCKET,), 1)
    if not taken.allowed:
        told = "No key with this identifier is known here, and GitHub was asked for its keys too often: try again later."
        raise TOO_MANY_FAILURES(told, headers={"Retry-After": str(taken.retry_after_seconds)})


def _digest(match: _Match) -> bytes:
    return digest(match.token.encode())
