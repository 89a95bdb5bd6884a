"""Every control that pages offer is operated by some test here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
CONSOLE = HERE.parent.parent / "src" / "keyrack" / "console"
ATRIUM = HERE.parent.parent / "src" / "atrium"
DOCS = HERE.parent.parent / "src" / "keyrack" / "docs"
NAMED = re.compile(r"""\b(?:data-)?control="([^"{]+)\"""")
ENTRY = re.compile(r"""Entry\("([a-z-]+)", "(?:/([a-z-]*))?", [^)]*?(tab=)?""")


def offered() -> Iterator[str]:
    """The controls in templates, those of the sidebar and its tabs, and those that come of Markdown."""
    templates = [path for part in (CONSOLE, ATRIUM, DOCS) for path in (part / "templates").rglob("*.html")]
    for path in [*templates, DOCS / "markdown.py"]:
        yield from NAMED.findall(path.read_text())
    for path in CONSOLE.glob("*.py"):
        for area, _, _ in ENTRY.findall(path.read_text()):
            yield f"nav.{area}"


def operated() -> Iterator[str]:
    """Every text that a test here could name a control with."""
    for path in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_control_is_operated_by_some_test() -> None:
    assert [] == sorted(set(offered()) - set(operated()))


def test_every_control_that_a_macro_makes_takes_its_name_from_the_page() -> None:
    macros = (CONSOLE / "templates" / "ui.html").read_text()
    unnamed = [
        tag
        for tag in re.findall(r"<(?:a|button|input|select|textarea)\b[^>]*", macros)
        if "data-control" not in tag and 'type="hidden"' not in tag
    ]
    assert [] == unnamed
