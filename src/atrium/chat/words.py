"""The words of a text as they are searched for: the same for sources and questions, and for both databases."""

import re
import unicodedata

TERM_LENGTH_MAX = 40
_WORD = re.compile(r"[^\W_]+")
# Scripts that are written without blanks: two neighbours at a time stand for their words.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_VOICED = "\u3099\u309a"
"""What makes another kana of one, and is no accent."""

_SAYING_NOTHING = """
    a able about after all also am an and any anybody anyone anything are as ask asking at be been before being both but by can could
    did do does doing done everything explain find for from get got had has have having he hello help her here hey hi him his how i if
    in into is it its just kind know let like long make many may me might more most much must my need no not of off on one or our out
    over own please possible question s same say shall she should so some somebody someone something still such t tell than thank
    thanks that the their them then there these they thing things this those to too under until up us use very want was way we were
    what when where which while who whom whose why will with wonder wondering would you your yours
"""
_EMPTY = frozenset(_SAYING_NOTHING.split())
"""Words that say nothing of what a question is about."""


def terms(text: str) -> list[str]:
    """Return the terms of a text, in order: words without accents and endings, but those that carry no meaning."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(character for character in plain if character in _VOICED or not unicodedata.combining(character))
    found = []
    # Composed again: what NFKD takes apart besides accents (Hangul, kana) is one word.
    for word in _WORD.findall(unicodedata.normalize("NFC", plain)):
        found += [term[:TERM_LENGTH_MAX] for term in _parts(word) if term not in _EMPTY]
    return found


def _parts(word: str) -> list[str]:
    unspaced = _UNSPACED.findall(word)
    if not unspaced:
        return [word if word in _EMPTY else _stem(word)]
    spaced = [_stem(part) for part in _UNSPACED.split(word) if part]
    return spaced + [pair for run in unspaced for pair in _pairs(run)]


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)] or [run]


def _stem(word: str) -> str:
    """Return a word without its English ending, so that "shipped" finds "shipping". Short words stay as they are."""
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2 and re.search("[aeiouy]", stem):
            word = stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "aeiouls" else stem
            break
    return word[:-1] if len(word) > 4 and word.endswith("e") else word
