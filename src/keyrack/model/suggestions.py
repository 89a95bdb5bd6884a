"""Suggestions: which known name somebody meant who misspelt one."""

from collections.abc import Iterable
from difflib import SequenceMatcher

LIKENESS_MIN = 0.75
"""How much of both names must be the same, in the same order: below that, a suggestion would be a guess."""
NAME_LENGTH_MAX = 100


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like this one, or None where none is like it. Case and separators make no difference."""
    plain = _plain(name)
    if not plain or len(name) > NAME_LENGTH_MAX:
        return None
    likeness = {one: SequenceMatcher(None, plain, _plain(one), autojunk=False).ratio() for one in known}
    best = max(sorted(likeness), key=likeness.__getitem__, default=None)
    return best if best is not None and likeness[best] >= LIKENESS_MIN else None


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
