"""One parse of the checkout, shared by all rules."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDERS = ("src", "tests", "checks", "bench")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Violation:
    """A place that breaks a rule. `line` counts from 1."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.message}"


@dataclass(frozen=True)
class Source:
    """One Python file. `path` is relative to the checkout, with forward slashes."""

    path: str
    text: str
    tree: ast.Module

    @cached_property
    def functions(self) -> list[Function]:
        """All functions and methods, also nested ones."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    @cached_property
    def imported(self) -> dict[str, str]:
        """What each imported name stands for: `{"stored": "keyrack.store.keys"}` after `from keyrack.store import keys as stored`."""
        names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names.update({alias.asname or alias.name.partition(".")[0]: _bound(alias) for alias in node.names})
            elif isinstance(node, ast.ImportFrom):
                names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        return names

    def meaning(self, node: ast.AST) -> str:
        """The dotted name that a name or an attribute stands for, with imports resolved; empty for anything else."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, node.id)
        if isinstance(node, ast.Attribute) and (before := self.meaning(node.value)):
            return f"{before}.{node.attr}"
        return ""

    def violation(self, node: ast.stmt | ast.expr | None, message: str) -> Violation:
        """A violation at this node, or at the file's first line."""
        return Violation(self.path, node.lineno if node else 1, message)


class Tree:
    """A checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def sources(self) -> list[Source]:
        """All Python files of the folders that hold ours."""
        paths = sorted(path for folder in FOLDERS for path in (self.root / folder).rglob("*.py"))
        return [_parse(path.relative_to(self.root).as_posix(), path.read_text()) for path in paths]

    def under(self, *folders: str) -> Iterator[Source]:
        """The Python files below these folders: `tree.under("src/keyrack/store/")`."""
        return (source for source in self.sources if source.path.startswith(folders))

    @cached_property
    def committed(self) -> dict[str, str]:
        """The text of each file that git knows, by path. Files that hold no text are left out."""
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=self.root, capture_output=True, check=True, text=True)
        texts = {}
        for path in filter(None, listed.stdout.split("\0")):
            file = self.root / path
            content = file.read_bytes() if file.is_file() else b"\0"
            if b"\0" not in content:
                texts[path] = content.decode(errors="replace")
        return texts


def _bound(alias: ast.alias) -> str:
    """`import a.b` binds a; `import a.b as c` binds a.b."""
    return alias.name if alias.asname else alias.name.partition(".")[0]


def _parse(path: str, text: str) -> Source:
    return Source(path, text, ast.parse(text, filename=path))
