"""Names, docstrings and open ends; and words that have no place in a committed file."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from checks.tree import Function, Source, Tree, Violation

DRAWERS = {"utils", "util", "helpers", "helper", "common", "base", "misc"}

# Written in pieces, because this file is under its own rule.
OPEN_ENDS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error")) + r")\b")

REGISTRIES = ("files.python" + "hosted.org", "py" + "pi.org/simple", "registry.npm" + "js.org", "registry.yarn" + "pkg.com")
REGISTRY_OPTIONS = r"--(?:extra-)?index-" + "url |--find-" + "links |https?://[^\\s\"']*/(?:simple|packages)/"
PLACES = [
    (
        re.compile("|".join([*map(re.escape, REGISTRIES), REGISTRY_OPTIONS])),
        "names a registry's address: locks hold versions and hashes only",
    ),
    # Folders below the top of a file system, not parts of a relative path or of a URL.
    (re.compile(r"(?<![\w.}*/-])/(?:root|work|Users/\w+|home/\w+)/"), "holds an absolute path of somebody's machine"),
]


def no_module_is_called_a_drawer(tree: Tree) -> Iterator[Violation]:
    """No module or package is called utils, helpers, common, base or misc: such a name takes anything."""
    for source in tree.sources:
        for part in PurePosixPath(source.path).with_suffix("").parts:
            if part.strip("_") in DRAWERS:
                yield source.violation(None, f"{part!r} says nothing: name the module after what it speaks of")


def nothing_is_left_open(tree: Tree) -> Iterator[Violation]:
    """No file holds a mark that says that something is missing."""
    for source in tree.sources:
        for number, line in enumerate(source.text.splitlines(), 1):
            if found := OPEN_ENDS.search(line):
                yield Violation(source.path, number, f"{found[0]}: finish it, or write it down outside the code")


def public_names_have_docstrings(tree: Tree) -> Iterator[Violation]:
    """In the product, each module and each public class, function and method has a docstring."""
    for source in tree.under("src/keyrack/"):
        if not ast.get_docstring(source.tree):
            yield source.violation(None, "the module has no docstring")
        yield from _undocumented(source, source.tree)


def no_file_names_a_place(tree: Tree) -> Iterator[Violation]:
    """No committed file names a registry's address or a path of a developer's machine."""
    for path, text in tree.committed.items():
        for number, line in enumerate(text.splitlines(), 1):
            yield from (Violation(path, number, message) for pattern, message in PLACES if pattern.search(line))


def _undocumented(source: Source, parent: ast.Module | ast.ClassDef) -> Iterator[Violation]:
    for node in parent.body:
        if not isinstance(node, (Function, ast.ClassDef)) or node.name.startswith("_") or _repeats_a_name(node):
            continue
        if not ast.get_docstring(node):
            yield source.violation(node, f"{node.name} is public and has no docstring")
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(source, node)


def _repeats_a_name(node: Function | ast.ClassDef) -> bool:
    """Setters and overloads belong to a function that has its docstring elsewhere."""
    return any(ast.unparse(mark).endswith((".setter", ".deleter", "overload")) for mark in node.decorator_list)
