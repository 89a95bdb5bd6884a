"""The changelog of a host's API, made of its change modules: what changed on which day, and what it looked like before and after."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from keyrack.model.versions import DeprecatedOperation, Shape, VersionChange, Versions


@dataclass(frozen=True, slots=True)
class Entry:
    """One change, newest first on the page. `version` is the one that first has it, None for what holds at every version."""

    date: str
    title: str
    version: str | None
    markdown: str

    @property
    def id(self) -> str:
        """What an entry is known by, however often it is told."""
        return f"{self.date} {self.title}"


def entries(versions: Versions) -> list[Entry]:
    """Return what has changed, newest first; the last entry is the first version, from which on changes are told."""
    told = [_of_change(one) if isinstance(one, VersionChange) else _of_operation(one) for one in reversed(versions.log)]
    first = versions.dates[0]
    return [
        *told,
        Entry(first, "First version", first, f"The first version is `{first}`. Keys made before there were versions are pinned to it.\n"),
    ]


def _of_change(change: VersionChange) -> Entry:
    parts = [change.description.strip()]
    if change.operations:
        parts.append("It touches " + ", ".join(f"`{name}`" for name in change.operations) + ".")
    if change.objects:
        parts.append("In answers it touches every " + _or(change.objects) + ", wherever it stands.")
    if change.renames:
        parts.append("| Before | Since |\n|---|---|\n" + "\n".join(f"| `{old}` | `{new}` |" for old, new in change.renames.items()))
    parts += [_of_example("What you send", *pair) for pair in change.request_examples]
    parts += [_of_example("What you get", *pair) for pair in change.response_examples]
    parts.append(f"Calls at versions before `{change.date}` go on as they were{_until(change.deprecated, change.sunset)}.")
    return Entry(change.date, change.title, change.date, "\n\n".join(parts) + "\n")


def _of_operation(one: DeprecatedOperation) -> Entry:
    left = f"`{one.operation}` is deprecated{_until(None, one.sunset)}."
    return Entry(one.date, one.title, None, f"{one.description.strip()}\n\n{left}\n")


def _of_example(what: str, before: Shape, after: Shape) -> str:
    return f"{what}, before:\n\n{_block(before)}\n\nand since:\n\n{_block(after)}"


def _block(shape: Shape) -> str:
    return f"```json\n{json.dumps(shape, indent=2, ensure_ascii=False)}\n```"


def _or(kinds: Sequence[str]) -> str:
    return " or ".join(f"`{kind}`" for kind in kinds)


def _until(deprecated: str | None, sunset: str | None) -> str:
    said = [f"deprecated since {deprecated}"] if deprecated is not None else []
    said += [f"until {sunset}"] if sunset is not None else []
    return f" ({', '.join(said)})" if said else ""
