"""The catalog: every operation the product offers, with what it needs. What is not in it is refused."""

from dataclasses import dataclass

from keyrack.model.permissions import Need


@dataclass(frozen=True, slots=True)
class Operation:
    """A method and a path template with what they need. `need` is None for an operation that was declared public.

    `cost` is what one call takes from each limit.
    """

    method: str
    template: str
    need: Need | None
    cost: int = 1
