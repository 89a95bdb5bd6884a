"""Passages: what of a chatbot's sources can be quoted, and which of them speak of a question."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat.words import terms

TERMS_MAX = 40
"""How many different terms of a question are looked for: the first ones."""

CANDIDATES_MAX = 60
ENOUGH_TERMS = 4
"""A passage that holds so many of a question's terms speaks of it, however long the question is."""

_PASSAGE = "p.number, p.place, p.text, p.terms, s.id AS source_id, s.name AS source_name, s.url AS source_url"
_READY = "JOIN chat_sources s ON s.id = p.source_id AND s.status = 'ready'"
_SCOPE = "p.workspace_id = :workspace_id AND p.chatbot_id = :chatbot_id"
_SEARCHES = {
    "sqlite": text(
        f"SELECT {_PASSAGE} FROM chat_passages_search f JOIN chat_passages p ON p.number = f.rowid {_READY} "  # noqa: S608
        f"WHERE chat_passages_search MATCH :wanted AND {_SCOPE} ORDER BY f.rank, p.number LIMIT {CANDIDATES_MAX}"
    ),
    "postgresql": text(
        f"SELECT {_PASSAGE} FROM chat_passages p {_READY} CROSS JOIN (SELECT CAST(:wanted AS tsquery) AS query) q "  # noqa: S608
        f"WHERE array_to_tsvector(string_to_array(p.terms, ' ')) @@ q.query AND {_SCOPE} "
        f"ORDER BY ts_rank(array_to_tsvector(string_to_array(p.terms, ' ')), q.query) DESC, p.number LIMIT {CANDIDATES_MAX}"
    ),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that speaks of a question: `held` are the terms of the question that it holds, `weight` how much they say together."""

    source_id: str
    source_name: str
    source_url: str | None
    place: str
    text: str
    held: frozenset[str]
    weight: float


async def search(session: AsyncSession, workspace_id: str, chatbot_id: str, question: str) -> list[Found]:
    """Return the passages of a chatbot's ready sources that hold any term of a question, the most telling first."""
    wanted = list(dict.fromkeys(terms(question)))[:TERMS_MAX]
    if not wanted:
        return []
    dialect = session.get_bind().dialect.name
    values = {"workspace_id": workspace_id, "chatbot_id": chatbot_id, "wanted": _query(dialect, chatbot_id, wanted)}
    rows = (await session.execute(_SEARCHES[dialect], values)).all()
    held = [frozenset(row.terms.split()) & set(wanted) for row in rows]
    among = Counter(term for one in held for term in one)
    worth = {term: log(1 + (len(rows) + 1) / count) for term, count in among.items()}
    found = [
        Found(row.source_id, row.source_name, row.source_url, row.place, row.text, has, sum(worth[term] for term in has))
        for row, has in zip(rows, held, strict=True)
    ]
    # The databases weigh terms differently; what they agree on is which passages hold one.
    return sorted(found, key=lambda one: -one.weight)


def speaks_of(found: Found, question: str) -> bool:
    """Whether a passage holds enough of a question to answer it: half of its terms, or several."""
    wanted = len(set(list(dict.fromkeys(terms(question)))[:TERMS_MAX]))
    return len(found.held) >= min(-(-wanted // 2), ENOUGH_TERMS)


def _query(dialect: str, chatbot_id: str, wanted: Sequence[str]) -> str:
    # The chatbot is a term of each of its passages, so that a search passes over everybody else's.
    # Terms are letters and digits alone, so quoting them leaves nothing that either language would read.
    quote, both, either = ('"', "AND", "OR") if dialect == "sqlite" else ("'", "&", "|")
    words = f" {either} ".join(f"{quote}{term}{quote}" for term in wanted)
    return f"{quote}{chatbot_id}{quote} {both} ({words})"
