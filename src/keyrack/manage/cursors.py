"""Cursors: signed places in lists. A place stays where it is when its row is gone, and holds for the filters it was given for."""

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from keyrack.crypto.sign import Signer
from keyrack.model.orders import Place
from keyrack.model.refusals import CURSOR_FILTER_MISMATCH, INVALID_REQUEST

CURSOR_LENGTH_MAX = 1500
"""Room for the place of a text of 200 characters, whatever they are."""


class Cursors:
    """Reads and writes cursors. A place is a number and a text: `created_at` and `id` of the last row, unless in another order."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def read(self, text: str | None, filters: Mapping[str, Any]) -> Place | None:
        """Return the place that a cursor names, None for no cursor.

        `filters` are what chooses the list's rows and their order, by name; None stands for none. Raises Refused: `invalid_request` for a
        cursor that was not made here; `cursor_filter_mismatch` for one that was made for other filters.
        """
        if text is None:
            return None
        try:
            value = self._signer.read(text)
        except ValueError:
            value = None
        match value:
            case [int(number), str(name), str(mark)] if mark == _mark(filters):
                return number, name
            case [int(), str(), str()]:
                raise CURSOR_FILTER_MISMATCH(
                    "This cursor belongs to another list, or to other filters or another order of it: begin without a cursor.",
                    param="cursor",
                )
            case _:
                raise INVALID_REQUEST(
                    "This is no cursor of ours: send `next_cursor` as it was given, or begin without one.", param="cursor"
                )

    def write(self, place: Place, filters: Mapping[str, Any]) -> str:
        """Return the cursor that continues a list after a place."""
        number, name = place
        return self._signer.sign([number, name, _mark(filters)])


def _mark(filters: Mapping[str, Any]) -> str:
    given = {name: value for name, value in filters.items() if value is not None}
    return blake2b(json.dumps(given, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()
