"""The pages of error codes, made of the closed list of refusals: one for all, and one for each that problem documents lead to."""

from collections.abc import Iterator

from keyrack.docs.facts import Facts
from keyrack.docs.page import Page
from keyrack.model.refusals import Refusal


def pages(facts: Facts) -> Iterator[Page]:
    """Yield the page of all codes, and one for each."""
    rows = "\n".join(f"| [`{one.code}`](/docs/errors/{one.code}) | {one.status} | {one.title} |" for one in facts.refusals.values())
    yield Page(
        "errors",
        "Errors",
        "Every error code you can get and what to do about it.",
        "Concepts",
        f"## Codes\n\n| Code | Status | What it means |\n|---|---|---|\n{rows}\n",
        order=20,
        updated="2026-11-21",
    )
    for one in facts.refusals.values():
        yield Page(f"errors/{one.code}", one.title, one.remedy, "Concepts", _told(one), updated="2026-11-21", is_listed=False)


def _told(one: Refusal) -> str:
    again = "The same call may succeed later." if one.retryable else "The same call will fail again."
    return f"The code is `{one.code}`, and the status {one.status}.\n\n## What to do\n\n{one.remedy} {again}\n"
