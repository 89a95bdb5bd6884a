"""Check all house rules: `python -m checks`. Ends with 1 where one is broken."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from checks import imports, sizes, store, words
from checks.tree import Tree, Violation

RULES: tuple[Callable[[Tree], Iterator[Violation]], ...] = (
    sizes.no_function_is_longer_than_a_screen,
    sizes.nine_of_ten_functions_are_short,
    sizes.no_file_is_a_drawer,
    words.no_module_is_called_a_drawer,
    words.nothing_is_left_open,
    words.public_names_have_docstrings,
    words.no_file_names_a_place,
    imports.imports_stand_at_the_top,
    store.finders_take_the_workspace_first,
    store.unscoped_finders_are_asked_by_whom_they_name,
    store.only_the_store_writes_rows,
    store.changes_go_through_change,
    store.closed_lists_name_what_exists,
)


def main() -> int:
    """Print what breaks a rule, and return the exit code."""
    tree = Tree(Path(__file__).parent.parent)
    violations = sorted(violation for rule in RULES for violation in rule(tree))
    for violation in violations:
        print(violation)
    print(f"{len(RULES)} rules, {len(tree.sources)} files, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
