"""What the pages of the reference do beyond their text: a form that sends the call with the reader's own key, and a list to be narrowed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from keyrack.docs import reference_samples as samples
from keyrack.docs.markdown import ROOT
from keyrack.docs.page import Page

_TRY = "\n\n## Try it\n\nWith a key of your own, from this page. What stands in the form is what is sent.\n"
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals.update(
    anchor=lambda title: re.sub(r"[^a-z0-9_]+", "-", title.lower()).strip("-"),
    example_of=samples.example_of,
    pretty=samples.pretty,
    root=ROOT,
)


def with_form(page: Page, call: Any) -> Page:
    """Return an operation's page with a form that sends it, below its text."""

    def form() -> Markup:
        return Markup(_templates.get_template("try.html").render(call=call))  # noqa: S704 - the template escapes

    return replace(page, closing=_TRY, more=lambda text: text + form())


def explorer(calls: Sequence[Any], tags: Mapping[str, Mapping[str, Any]]) -> Markup:
    """Return the list of all operations, with the fields that narrow it."""
    permissions = sorted({call.permission for call in calls if call.permission is not None})
    text = _templates.get_template("explorer.html").render(calls=calls, tags=tags, permissions=permissions)
    return Markup(text)  # noqa: S704 - the template escapes
