"""Imports tell the truth about a module only if all of them stand at its top. Who may import whom is in pyproject.toml."""

import ast
from collections.abc import Iterator

from checks.tree import Tree, Violation

# What a program comes in by imports no more than it asks for (docs/decisions/0015).
DOORS = frozenset({"src/keyrack/__init__.py", "src/keyrack/cli/__init__.py"})


def imports_stand_at_the_top(tree: Tree) -> Iterator[Violation]:
    """No import hides inside a function, and none hides from the import contracts behind TYPE_CHECKING; but for the doors'."""
    for source in tree.under("src/"):
        if source.path in DOORS:
            continue
        for function in source.functions:
            for node in ast.walk(function):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    yield source.violation(
                        node, f"an import inside {function.name}: move it to the top, or the code to where it may import this"
                    )
        for name, meaning in source.imported.items():
            if meaning == "typing.TYPE_CHECKING":
                yield source.violation(None, f"{name} hides imports from the contracts: move what both modules need to a lower layer")
