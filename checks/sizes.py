"""Functions and files stay short enough to be read at once. What is lost in a code base is lost in the tail, so the tail is capped."""

from collections.abc import Iterator
from math import ceil

from checks.tree import Function, Tree, Violation

FUNCTION_LINES_MAX = 60
FUNCTION_LINES_P90 = 30
FILE_LINES_MAX = 400


def no_function_is_longer_than_a_screen(tree: Tree) -> Iterator[Violation]:
    """No function has more than 60 lines, with its signature and docstring."""
    for source in tree.sources:
        for function in source.functions:
            if _lines(function) > FUNCTION_LINES_MAX:
                message = f"{function.name} has {_lines(function)} lines: split it, {FUNCTION_LINES_MAX} is the most"
                yield source.violation(function, message)


def nine_of_ten_functions_are_short(tree: Tree) -> Iterator[Violation]:
    """Nine of ten functions have at most 30 lines: in the product, and in its tests."""
    for folder in ("src", "tests"):
        sizes = sorted(
            (_lines(function), f"{source.path}:{function.lineno}") for source in tree.under(folder) for function in source.functions
        )
        if sizes and sizes[ceil(len(sizes) * 0.9) - 1][0] > FUNCTION_LINES_P90:
            longest = ", ".join(place for _, place in sizes[-5:])
            yield Violation(folder, 1, f"more than a tenth of the functions have over {FUNCTION_LINES_P90} lines; the longest: {longest}")


def no_file_is_a_drawer(tree: Tree) -> Iterator[Violation]:
    """No file has more than 400 lines."""
    for source in tree.sources:
        lines = len(source.text.splitlines())
        if lines > FILE_LINES_MAX:
            yield source.violation(None, f"{lines} lines: split the file by what it speaks of, {FILE_LINES_MAX} is the most")


def _lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1
