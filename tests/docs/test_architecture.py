"""What the newcomer's pages say is true of the tree: every path exists, every word is used, every noun is explained."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"
PAGES = [ROOT / "ARCHITECTURE.md", ROOT / "docs" / "glossary.md", ROOT / "docs" / "consistency.md", *sorted(DECISIONS.glob("*.md"))]

# How the files of a noun are called where the plural is not made with an s.
PLURALS = {"deliveries": "delivery", "people": "person", "catalog": "catalog", "addresses": "address"}

TABLE_ROW = re.compile(r"^\| ([a-z][a-zA-Z -]*) \| (.+) \|$", re.MULTILINE)
IN_BACKTICKS = re.compile(r"`((?:src|tests|docs|checks)/[\w./-]+|pyproject\.toml)`")
SHORT_PATH = re.compile(r"(?<![\w/])((?:gate|feed|manage|store|volatile|model)/(?:\w+\.py)?)")
LINK = re.compile(r"\]\(([^)#:]+)\)")


def glossary(*sections: str) -> dict[str, str]:
    """The words of these sections of the glossary, each with the rest of its row."""
    parts = re.split(r"^## (.+)$", (ROOT / "docs" / "glossary.md").read_text(), flags=re.MULTILINE)
    texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    rows = [row for name in sections for row in TABLE_ROW.findall(texts[name])]
    return {word: rest for word, rest in rows if word != "word"}


def nouns() -> set[str]:
    """What the modules of the model are called, in the singular."""
    stems = {path.stem for path in (ROOT / "src/keyrack/model").glob("*.py")} - {"__init__"}
    return {PLURALS.get(stem, stem.removesuffix("s")).replace("_", " ") for stem in stems}


def product() -> str:
    """All the text of the product, in lower case."""
    files = [path for folder in ("src",) for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".html"}]
    return "\n".join(path.read_text().lower() for path in files)


def named_paths(page: Path) -> Iterator[Path]:
    """Every path of the checkout that a page names: in backticks, in the short form of the drawings, or in a link."""
    text = page.read_text()
    yield from (ROOT / path for path in IN_BACKTICKS.findall(text))
    yield from (page.parent / path for path in LINK.findall(text))
    if page.name == "ARCHITECTURE.md":
        drawings = re.findall(r"```\n(.*?)```", text, re.DOTALL)
        yield from (ROOT / "src/keyrack" / path for drawing in drawings for path in SHORT_PATH.findall(drawing))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    assert [] == [str(path.relative_to(ROOT)) for path in named_paths(page) if not path.exists()]


def test_every_noun_of_the_model_is_in_the_glossary() -> None:
    assert set() == nouns() - glossary("The words", "The machinery").keys()


def test_every_word_of_the_glossary_is_used() -> None:
    text = product()
    words = glossary("The words", "The machinery")
    assert len(words) > 40
    assert [] == [word for word in words if not re.search(_pattern(word), text)]


def test_every_word_is_argued_once() -> None:
    words = re.findall(r"^\| ([a-z][a-zA-Z -]*) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    own = [word for word in words if word != "word"]
    assert len(own) == len(set(own))
    for word, rest in glossary("The words", "The machinery").items():
        assert 3 == rest.count(" | ") + 1, word


def test_every_part_of_the_product_is_in_the_drawing_of_the_layers() -> None:
    drawn = re.search(r"^\{ cli .* > .*$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    assert drawn is not None
    parts = {path.stem for path in (ROOT / "src/keyrack").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert {part for part in parts if not part.startswith("__")} == set(re.findall(r"[a-z]+", drawn[0]))


def test_every_decision_is_in_the_index() -> None:
    index = (DECISIONS / "0001-one-page-per-decision.md").read_text()
    assert [] == [page.name for page in DECISIONS.glob("*.md") if f"({page.name})" not in index]


@pytest.mark.parametrize("page", sorted(DECISIONS.glob("*.md")), ids=lambda page: page.name)
def test_a_decision_has_its_number_and_fits_on_a_page(page: Path) -> None:
    lines = page.read_text().splitlines()
    assert lines[0].startswith(f"# {page.name[:4]} · ")
    assert len(lines) <= 60
    for part in ("**Context.**", "**Decision.**", "**What follows.**", "**Alternatives.**"):
        assert any(line.startswith(part) for line in lines), part


def _pattern(word: str) -> str:
    """The word in code or in a sentence, singular or plural."""
    forms = [re.escape(word).replace(r"\ ", "[ _-]"), *(name for name, singular in PLURALS.items() if singular == word)]
    return rf"(?<![a-z])(?:{'|'.join(forms)})"
