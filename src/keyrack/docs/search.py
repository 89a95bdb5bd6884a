"""Looking for words in all pages, part by part. Small enough for memory, and quick enough to be asked at each letter.

A part counts for each word by how rare the word is, and by where it stands: in the title, in a heading, in the summary or in the text.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import log
from typing import NamedTuple

from markupsafe import Markup, escape

from keyrack.docs.markdown import Part, parts
from keyrack.docs.page import Page

QUERY_LENGTH_MAX = 200
WORDS_MAX = 8
EXCERPT_LENGTH = 180
_WORD = re.compile(r"[^\W_]+(?:_[^\W_]+)*")
_TITLE, _HEADING, _SUMMARY, _TEXT = 12.0, 6.0, 3.0, 1.0


class Found(NamedTuple):
    """A part of a page that has all the words. `excerpt` has them marked."""

    page: Page
    part: Part
    excerpt: Markup


class _Entry(NamedTuple):
    page: Page
    part: Part


class Index:
    """The words of pages, and the parts in which they stand."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self._entries: list[_Entry] = []
        self._places: dict[str, dict[int, float]] = defaultdict(dict)
        for page in pages:
            for part in parts(page):
                self._add(page, part)
        self._words = sorted(self._places)

    def find(self, query: str, limit: int) -> list[Found]:
        """Return the best parts that have all words of a query, of each page the best one; the last word may be begun only."""
        words = [word.lower() for word in _WORD.findall(query[:QUERY_LENGTH_MAX])[:WORDS_MAX]]
        if not words:
            return []
        scores: dict[int, float] | None = None
        for place, word in enumerate(words):
            of_word = self._scores(word, is_begun=place == len(words) - 1)
            scores = of_word if scores is None else {at: scores[at] + of_word[at] for at in scores.keys() & of_word.keys()}
        found: dict[str, Found] = {}
        for at in sorted(scores or {}, key=lambda at: (-(scores or {})[at], at)):
            entry = self._entries[at]
            if entry.page.slug not in found:
                found[entry.page.slug] = Found(entry.page, entry.part, _excerpt(entry.part.text or entry.page.summary, words))
            if len(found) == limit:
                break
        return list(found.values())

    def _add(self, page: Page, part: Part) -> None:
        at = len(self._entries)
        text = words_of(part.text)
        self._entries.append(_Entry(page, part))
        is_top = not part.anchor
        weighted = [(word, _TEXT / (1 + len(text) / 400)) for word in text]
        weighted += [(word, _HEADING) for word in words_of(part.title)]
        weighted += [(word, _TITLE if is_top else _TITLE / 4) for word in words_of(f"{page.title} {page.slug}")]
        weighted += [(word, _SUMMARY) for word in words_of(page.summary)] if is_top else []
        for word, weight in weighted:
            places = self._places[word]
            # The tenth mention says less than the first, and a page of the sidebar more than one that it leads to.
            places[at] = places.get(at, 0.0) + weight / (1 + places.get(at, 0.0) / 4) * (1.0 if page.is_listed else 0.5)

    def _scores(self, word: str, *, is_begun: bool) -> dict[int, float]:
        scores: dict[int, float] = {}
        for known in self._beginning_with(word) if is_begun else [word]:
            places = self._places.get(known, {})
            rarity = log(1 + len(self._entries) / (1 + len(places)))
            share = 1.0 if known == word else 0.5
            for at, weight in places.items():
                scores[at] = max(scores.get(at, 0.0), share * rarity * weight)
        return scores

    def _beginning_with(self, word: str) -> Sequence[str]:
        return [known for known in self._words if known.startswith(word)]


def words_of(text: str) -> list[str]:
    """Return the words of a text, in lower case. `next_cursor` is one, and so are its halves."""
    whole = [found.lower() for found in _WORD.findall(text)]
    return [*whole, *(half for word in whole if "_" in word for half in word.split("_"))]


def _excerpt(text: str, words: Sequence[str]) -> Markup:
    """Return what stands around the first of the words, with all of them marked."""
    wanted = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)), re.IGNORECASE)
    first = wanted.search(text)
    start = max(0, first.start() - EXCERPT_LENGTH // 3) if first else 0
    if start:
        start = text.find(" ", start) + 1
    shown = text[start : start + EXCERPT_LENGTH]
    if start + EXCERPT_LENGTH < len(text):
        shown = shown.rpartition(" ")[0] or shown
    marked, after = Markup(""), 0
    for found in wanted.finditer(shown):
        marked += escape(shown[after : found.start()]) + Markup("<mark>{}</mark>").format(found[0])
        after = found.end()
    before, behind = "…" if start else "", "…" if start + EXCERPT_LENGTH < len(text) else ""
    return escape(before) + marked + escape(shown[after:]) + escape(behind)
