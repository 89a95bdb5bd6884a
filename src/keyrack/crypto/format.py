"""What a secret looks like: `<prefix>_<30 random places><6 places of checksum>`, base 62.

30 places are 178 bits. The checksum is CRC-32 over everything before it, so a mistyped or invented credential is refused without a
look-up, and scanners can tell our secrets from noise.
"""

import secrets
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_PLACES, CHECKSUM_PLACES = 30, 6
SHOWN_PLACES = 4


class Secret:
    """A clear text on its way to the one person who may see it. Its repr hides it; `text` is read exactly where it leaves."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def text(self) -> str:
        """The clear text."""
        return self._text

    @property
    def shown_prefix(self) -> str:
        """The head that may be shown: the prefix and four places, `atrium_abc1`."""
        return self._text[: self._text.rfind("_") + 1 + SHOWN_PLACES]

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


def mint(prefix: str) -> Secret:
    """Make a new secret with this prefix."""
    return Secret(mint_public(prefix))


def mint_public(prefix: str) -> str:
    """Make a new key of the same form that is no secret: it stands in public pages."""
    head = f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(RANDOM_PLACES))}"
    return head + _checksum(head)


def well_formed(text: str) -> bool:
    """Whether a text has the shape and the checksum of a secret of ours. Says nothing about whether it exists."""
    body = text[text.rfind("_") + 1 :]
    if len(body) != RANDOM_PLACES + CHECKSUM_PLACES or len(body) == len(text) or not (text.isascii() and body.isalnum()):
        return False
    return _checksum(text[:-CHECKSUM_PLACES]) == text[-CHECKSUM_PLACES:]


def _checksum(head: str) -> str:
    number = zlib.crc32(head.encode())
    places = ""
    for _ in range(CHECKSUM_PLACES):
        number, place = divmod(number, len(ALPHABET))
        places = ALPHABET[place] + places
    return places
