"""The catalog: every operation the product offers, with what it needs. What is not in it is refused."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from keyrack.model.permissions import Need

ANY_METHOD = "ANY"
"""The method of an operation that takes every one: an opaque mount."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A method and a path template with what they need. `need` is None for an operation that was declared public.

    `cost` is what one call takes from each limit.
    """

    method: str
    template: str
    need: Need | None
    cost: int = 1

    @property
    def shape(self) -> str:
        """The path template without the names of its parameters: what tells paths apart."""
        return shape_of(self.template)


class Catalog:
    """The operations, found by the method and the path template that a line of the log has, also where its parameters are renamed."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self._found = {(operation.method, operation.shape): operation for operation in operations}

    def __iter__(self) -> Iterator[Operation]:
        """Go over the operations."""
        return iter(self._found.values())

    def find(self, method: str, template: str) -> Operation | None:
        """Return the operation of a call, or None where there is none any more. HEAD counts as GET where there is no other."""
        shape = shape_of(template)
        ways = (method, "GET" if method == "HEAD" else method, ANY_METHOD)
        return next((self._found[way, shape] for way in ways if (way, shape) in self._found), None)


def shape_of(template: str) -> str:
    """Return a path template without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", template)
