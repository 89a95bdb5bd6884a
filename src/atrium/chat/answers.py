"""Answers: what a chatbot's sources say about a question, with the places where they say it."""

import re
from dataclasses import asdict, dataclass
from typing import Any

from atrium.chat.completions import CompletionFailed, Completions
from atrium.chat.models import Chatbot
from atrium.chat.passages import Found, search, speaks_of
from atrium.chat.words import terms
from atrium.database import Database

QUOTE_LENGTH_MAX = 600
CITED_MAX = 2
SHOWN_TO_MODEL_MAX = 8
_SENTENCE = re.compile(r".+?(?:[.!?…。！？](?=\s|$)|\n+|$)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A place that an answer rests on; `number` stands for it in the answer, in brackets."""

    number: int
    source_id: str
    source_name: str
    place: str
    url: str | None
    quote: str

    def shown(self) -> dict[str, Any]:
        """The place as a message keeps it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a chatbot says. Not `found`: its sources hold nothing about the question, and it asks for an address instead."""

    text: str
    citations: tuple[Quoted, ...] = ()
    found: bool = True


class Answerer:
    """Answers questions from what a database holds, in the words of a model where there is one."""

    def __init__(self, database: Database, completions: Completions | None = None) -> None:
        self._database = database
        self._completions = completions

    async def answer(self, chatbot: Chatbot, question: str, *, by_model: bool = True) -> Answer:
        """Return what the chatbot's sources say. No transaction is open while a model thinks; where it fails, the sources speak.

        Not `by_model`: the sources speak in any case, as for test keys, which call no outside services.
        """
        async with self._database.reading() as session:
            found = await search(session, chatbot.workspace_id, chatbot.id, question)
        if self._completions is not None and by_model and found:
            shown = found[:SHOWN_TO_MODEL_MAX]
            try:
                said = await self._completions.complete(question, [f"{one.source_name}, {one.place}\n{one.text}" for one in shown])
            except CompletionFailed:
                return _retrieved(chatbot, question, found)
            return _cited(said.text, shown, said.numbers) if said.found else Answer(chatbot.fallback, found=False)
        return _retrieved(chatbot, question, found)


def _retrieved(chatbot: Chatbot, question: str, found: list[Found]) -> Answer:
    telling = [one for one in found if speaks_of(one, question)]
    if not telling:
        return Answer(chatbot.fallback, found=False)
    chosen = telling[:1]
    for one in found:
        # A further one is worth reading for what the first does not hold.
        if len(chosen) < CITED_MAX and one.held - chosen[0].held and one.weight >= chosen[0].weight / 2:
            chosen.append(one)
    quotes = [_excerpt(one) for one in chosen]
    text = "\n\n".join(f"{quote} [{number}]" for number, quote in enumerate(quotes, 1))
    return Answer(text, tuple(_quoted(number, one, quote) for number, (one, quote) in enumerate(zip(chosen, quotes, strict=True), 1)))


def _cited(text: str, shown: list[Found], numbers: list[int]) -> Answer:
    """Return a model's answer, its citations numbered anew in the order in which they stand."""
    places = {old: new for new, old in enumerate(numbers, 1)}
    renumbered = re.sub(r"\[(\d{1,2})\]", lambda match: f"[{places[int(match[1])]}]" if int(match[1]) in places else "", text)
    quoted = tuple(_quoted(new, shown[old - 1], _excerpt(shown[old - 1])) for old, new in places.items())
    return Answer(renumbered.strip(), quoted)


def _quoted(number: int, one: Found, quote: str) -> Quoted:
    return Quoted(number, one.source_id, one.source_name, one.place, one.source_url, quote)


def _excerpt(one: Found) -> str:
    """Return the sentences of a passage around the one that holds most of the question."""
    if len(one.text) <= QUOTE_LENGTH_MAX:
        return one.text
    sentences: list[str] = [sentence.strip() for sentence in _SENTENCE.findall(one.text) if sentence.strip()]
    best = max(range(len(sentences)), key=lambda place: len(one.held & set(terms(sentences[place]))))
    excerpt, following = sentences[best][:QUOTE_LENGTH_MAX], best + 1
    while following < len(sentences) and len(excerpt) + 1 + len(sentences[following]) <= QUOTE_LENGTH_MAX:
        excerpt, following = f"{excerpt} {sentences[following]}", following + 1
    return excerpt
