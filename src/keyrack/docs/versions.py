"""The page of the changelog: what changed in this host's API on which day."""

from collections.abc import Iterator

from keyrack.docs.changelog import entries
from keyrack.docs.facts import Facts
from keyrack.docs.page import Page

_ABOUT = """A key keeps the [version](/docs/versioning) that was the newest when it was made: nothing here changes under a running program.
What is added without breaking anything is in all versions, and in the [reference](/docs/api/explorer).
"""


def pages(facts: Facts) -> Iterator[Page]:
    """Yield the changelog, made of the host's change modules."""
    told = entries(facts.versions)
    changes = [f"## {entry.date}: {entry.title}\n\n{entry.markdown}" for entry in told]
    summary = "What changed in the API, with what it looked like before and after."
    text = "\n\n".join([_ABOUT, *changes]) + "\n"
    yield Page("changelog", "Changelog", summary, "Changelog", text, updated=max(entry.date for entry in told), related=("versioning",))
