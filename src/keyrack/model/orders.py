"""The orders that lists come in, and places in them."""

from dataclasses import dataclass
from typing import Any

Place = tuple[int, str]
"""Where a page ended. By a number (a time): its value and the id of its last row. By a text: 0, and the text and the id, a line each."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order: by one column, and where its values are alike by `id`; texts whatever their case. The column has no nulls."""

    column: str
    descending: bool = False

    @classmethod
    def read(cls, text: str) -> "Order":
        """Return the order that is written so on the wire: `-created_at` is the newest first."""
        return cls(text.removeprefix("-"), text.startswith("-"))

    def __str__(self) -> str:
        return "-" * self.descending + self.column

    def place(self, row: Any) -> Place:
        """Return the place of what a page ends with: anything that has `id` and the column as attributes."""
        value = getattr(row, self.column)
        return (value, row.id) if isinstance(value, int) else (0, f"{value}\n{row.id}")


NEWEST = Order("created_at", descending=True)
"""How a list comes unless another order is asked for."""
OLDEST = Order("created_at")
BY_NAME = Order("name")
