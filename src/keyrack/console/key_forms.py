"""What people write into the forms of keys, as what keys are made of."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from keyrack.model.ip_ranges import holds, read_address, read_range, warnings
from keyrack.model.keys import Key
from keyrack.model.refusals import INVALID_REQUEST

RANGES_LENGTH_MAX = 2000
FIELDS = ("name", "mode", "permissions", "expires_at", "ip_ranges")
"""The fields beside which a refusal may stand."""


def bounds_in(form: Mapping[str, str], key: Key | None = None) -> dict[str, Any]:
    """Return `ip_ranges`, and `expires_at` (ms) where it says another day than that of the key. Raises Refused 400 for no day."""
    bounds: dict[str, Any] = {"ip_ranges": form.get("ip_ranges", "").replace(",", " ").split()}
    written = form.get("expires_at", "")
    if key is None or written != day_of(key.expires_at):
        bounds["expires_at"] = end_of_day(written) if written else None
    return bounds


def as_written(key: Key) -> dict[str, str]:
    """Return a key as its form shows it."""
    return {"name": key.name, "expires_at": day_of(key.expires_at), "ip_ranges": ", ".join(key.ip_ranges)}


def warned(ranges: Sequence[str], address: str) -> list[str]:
    """Say what whoever bounds a key should know: ranges that bound nothing, and that their own address is in none."""
    said = warnings(ranges)
    if ranges and not holds([read_range(text) for text in ranges], read_address(address)):
        here = f"Your own address, {address}," if address else "Your own address, which is unknown here,"
        said.append(f"{here} is in none of its ranges: it does not work from there.")
    return said


def day_of(at: int | None) -> str:
    """Return the day of a time, UTC, as a form shows it; empty for none."""
    return "" if at is None else datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def end_of_day(written: str, param: str = "expires_at") -> int:
    """Return the last millisecond of a day, UTC, so that a key works on the whole of the day that people choose. Raises Refused 400."""
    try:
        following = date.fromisoformat(written) + timedelta(days=1)
        return int(datetime(following.year, following.month, following.day, tzinfo=UTC).timestamp() * 1000) - 1
    except (ValueError, OverflowError):
        raise INVALID_REQUEST("Write a day like 2027-03-31, or leave it empty.", param=param) from None
