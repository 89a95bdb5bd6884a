"""What several forms ask for in the same words, read from what was written."""

from collections.abc import Iterable, Mapping

from keyrack.model.permissions import ALL, Category, Level
from keyrack.model.principals import Mode
from keyrack.model.refusals import INVALID_REQUEST

NAME_LENGTH_MAX = 100


def name_in(form: Mapping[str, str]) -> str:
    """Return the name. Raises Refused 400 for one that cannot be."""
    name = form.get("name", "").strip()
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise INVALID_REQUEST(f"Write 1 to {NAME_LENGTH_MAX} printable characters.", param="name")
    return name


def mode_in(word: str) -> Mode:
    """Return the mode. Raises Refused 400 for none."""
    try:
        return Mode(word)
    except ValueError:
        raise INVALID_REQUEST("Choose live or test.", param="mode") from None


def levels_in(form: Mapping[str, str], categories: Iterable[Category]) -> dict[str, Level]:
    """Return the level of each category, or everything where that was chosen. Raises Refused 400."""
    if form.get("all") == "yes":
        return {ALL: Level.WRITE}
    try:
        return {category.name: Level.of(form.get(f"level.{category.name}", "none")) for category in categories}
    except ValueError as error:
        raise INVALID_REQUEST(f"{error}.", param="permissions") from None
