"""The process that reads what others sent: `python -m atrium.chat.reading_child KIND`, content in, passages out as JSON.

It bounds its own memory, time and files before it reads the first byte, and knows neither settings nor environment of the server.
"""

import json
import re
import resource
import sys
from collections.abc import Iterable, Iterator

from atrium.chat.formats import PLACE_LENGTH_MAX, Section, Unreadable, read
from atrium.chat.words import terms

MEMORY_BYTES_MAX = 768 * 1024 * 1024
CPU_SECONDS_MAX = 10
TITLE_LENGTH_MAX = 200
PASSAGE_LENGTH_MAX = 900
PASSAGES_MAX = 3_000
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_END = re.compile(r"(?<=[.!?…。！？])\s+|\n+")


def main() -> None:
    """Read the content on standard input, and write what came of it."""
    _bound()
    sys.setrecursionlimit(2_000)
    try:
        told = _read(sys.argv[1], sys.stdin.buffer.read())
    except Unreadable as error:
        told = {"reason": str(error)}
    except (MemoryError, RecursionError):
        told = {"reason": "Reading it takes more memory than is allowed."}
    sys.stdout.write(json.dumps(told))


def _bound() -> None:
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_CPU, CPU_SECONDS_MAX),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        allowed = resource.getrlimit(limit)[1]
        bounded = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(limit, (bounded, bounded))


def _read(kind: str, content: bytes) -> dict[str, object]:
    title, sections = read(kind, content)
    passages: list[tuple[str, str, str]] = []
    for place, text in _passages(sections):
        # What stands above a text is often what people ask for.
        words = " ".join(terms(f"{place} {text}" if kind in ("html", "markdown") else text))
        if words:
            passages.append((_plain(place)[:PLACE_LENGTH_MAX], _plain(text), words))
        if len(passages) > PASSAGES_MAX:
            raise Unreadable(f"It is too long: a source has {PASSAGES_MAX:,} passages at most.")
    if not passages:
        scanned = " It may be a scan: only text can be read." if kind == "pdf" else ""
        raise Unreadable(f"No text was found in it.{scanned}")
    return {"title": " ".join(_plain(title or "").split())[:TITLE_LENGTH_MAX] or None, "passages": passages}


def _plain(text: str) -> str:
    """Return a text without what no database keeps and nobody sees: controls, and halves of characters."""
    return _UNSEEN.sub("", text).encode("utf-8", "ignore").decode()


def _passages(sections: Iterable[Section]) -> Iterator[Section]:
    """Cut sections into passages that can be quoted, at the ends of lines and sentences where there are any."""
    for place, text in sections:
        passage = ""
        for sentence in _END.split(text):
            for piece in _pieces(sentence.strip()):
                if passage and len(passage) + 1 + len(piece) > PASSAGE_LENGTH_MAX:
                    yield place, passage
                    passage = piece
                else:
                    passage = f"{passage} {piece}" if passage else piece
        if passage:
            yield place, passage


def _pieces(sentence: str) -> Iterator[str]:
    while len(sentence) > PASSAGE_LENGTH_MAX:
        cut = sentence.rfind(" ", PASSAGE_LENGTH_MAX // 2, PASSAGE_LENGTH_MAX)
        cut = PASSAGE_LENGTH_MAX if cut < 0 else cut
        yield sentence[:cut].strip()
        sentence = sentence[cut:].strip()
    if sentence:
        yield sentence


if __name__ == "__main__":
    main()
