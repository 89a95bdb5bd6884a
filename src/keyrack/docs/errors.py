"""The pages of error codes, made of the registry of refusals: one of all, and one for each, to which its problem documents lead."""

from collections.abc import Iterator
from itertools import groupby

from keyrack.docs.error_codes import sections
from keyrack.docs.facts import Facts
from keyrack.docs.page import Page

UPDATED = "2026-11-21"
_ABOUT = """Every refusal is a problem document (RFC 9457), with `Content-Type: application/problem+json`:

```json
{example}
```

| Member | What it is for |
|---|---|
| `code` | What your program decides by. It never changes its meaning |
| `detail` | What happened in this very call, for people |
| `param`, `errors` | The field or parameter at fault; all of them, where there are several |
| `retryable` | Whether the very same call may succeed later. Where `Retry-After` says when, wait that long |
| `doc_url`, `type` | The page of the code |
| `request_id`, `request_log_url` | The call's line in the request log, where people of your workspace see the reason |

Who sends `Accept: text/markdown`, and does not prefer JSON, gets the same facts as Markdown.

A code that you do not know is like its status: 4xx is the caller's to mend, 5xx is ours. Titles and details may be worded anew at any time.
"""


def pages(facts: Facts) -> Iterator[Page]:
    """Yield the page of all codes, and one for each."""
    told = sections(facts.refusals, facts.base_url)
    example = next(iter(told.values())).partition("```json\n")[2].partition("\n```")[0]
    known = sorted(facts.refusals.values(), key=lambda one: one.status)
    tables = [
        f"## Status {status}\n\n| Code | What it means | The same call again |\n|---|---|---|\n"
        + "\n".join(
            f"| [`{one.code}`](/docs/errors/{one.code}) | {one.title} | {'may succeed later' if one.retryable else 'fails again'} |"
            for one in group
        )
        for status, group in groupby(known, key=lambda one: one.status)
    ]
    text = "\n\n".join([_ABOUT.replace("{example}", example), *tables]) + "\n"
    summary = "All codes, why each of them comes, and what to do then."
    yield Page("errors", "Errors", summary, "Concepts", text, 20, UPDATED, ("rate-limits", "guides/request-logs", "authentication"))
    for one in known:
        yield Page(f"errors/{one.code}", one.title, _first(one.remedy), "Errors", told[one.code], updated=UPDATED, is_listed=False)


def _first(remedy: str) -> str:
    """The first sentence of what to do, as plain text."""
    return remedy.split(". ")[0].replace("`", "").rstrip(".") + "."
