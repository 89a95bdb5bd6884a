"""The page of the reference that lists what is sent to endpoints: every event type, what it takes to be told of it, and examples."""

from collections.abc import Iterator, Mapping
from typing import Any

from keyrack.docs import reference_samples as samples
from keyrack.docs.facts import Facts
from keyrack.docs.openapi import JSON, Document
from keyrack.docs.page import Page
from keyrack.docs.reference import SECTION, UPDATED
from keyrack.docs.reference_fields import table

ADMIN = "org-level Admin"
_INTRODUCTION = (
    "What can happen, and what [webhook endpoints](/docs/guides/webhooks) are told of it. An endpoint names types one by one "
    "(`{first}`), all of a kind (`{kind}.*`), or all (`*`). `GET /api/v1/event-types` lists those that a key may be told of, each with "
    "the JSON Schema of its `data`; programs find the same in the [OpenAPI document](/docs/openapi.json) under `webhooks`."
)


class EventTypes:
    """The page, made of one start's document."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def pages(self, _facts: Facts) -> Iterator[Page]:
        """Yield the page."""
        found: Mapping[str, Any] = self._document.described["webhooks"]
        # The host's own first: what happens to keys and members is for few readers.
        ordered = sorted(found, key=lambda name: (_told(found[name]["post"])[1] == ADMIN, name))
        nouns = dict.fromkeys(name.split(".")[0] for name in ordered)
        first = ordered[0]
        text = _INTRODUCTION.format(first=first, kind=first.split(".")[0])
        for noun in nouns:
            text += _part(noun, {name: item["post"] for name, item in found.items() if name.split(".")[0] == noun})
        yield Page(
            "api/webhooks",
            "Event types",
            "What endpoints are told of: every type, what it takes to be told, and an example of each kind.",
            SECTION,
            text,
            order=-1,
            updated=UPDATED,
            related=("guides/webhooks", "api/explorer"),
        )


def _part(noun: str, found: Mapping[str, Any]) -> str:
    rows = [(f"`{name}`", *_told(item)) for name, item in found.items()]
    example = next(iter(found.values()))["requestBody"]["content"][JSON]["example"]
    return (
        f"\n\n## {noun.replace('_', ' ').capitalize()}\n\n{table(('Type', 'What happened', 'What an endpoint needs'), rows)}\n\n"
        f"{samples.block('json', samples.pretty(example))}"
    )


def _told(item: Mapping[str, Any]) -> tuple[str, str]:
    happened, _, needs = str(item["description"]).partition("\n\n")
    return happened, needs.rpartition(" needs ")[2].removesuffix(".")
