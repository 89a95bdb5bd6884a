"""What the docs know of the host that they describe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from keyrack.manage.key_patterns import regex
from keyrack.model.brands import Brand
from keyrack.model.catalog import Operation
from keyrack.model.connectors import Vendor
from keyrack.model.deliveries import SCHEDULE_SECONDS
from keyrack.model.permissions import Category
from keyrack.model.plans import Plan, offering_api
from keyrack.model.principals import Mode
from keyrack.model.refusals import ALL, Refusal
from keyrack.model.versions import Versions

BASE = "https://base-url.invalid"
"""Stands for the address of this host in texts that are made once: each answer holds the one under which it was asked."""
API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Docs:
    """A host's own pages of the docs: a folder of Markdown, in the form of those in `keyrack/docs/pages`.

    A page with the name of one of ours takes its place. `words` are further placeholders for them.
    """

    folder: Path
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """The host, as pages speak of it.

    `operations` are the host's own, without those that every host of Keyrack has; `refusals` are all codes that callers can get,
    `versions` those of its API; `words` are further placeholders for the host's pages, `vendors` those that workspaces connect.
    """

    brand: Brand
    categories: Sequence[Category] = ()
    plans: Sequence[Plan] = ()
    operations: Sequence[Operation] = ()
    refusals: Mapping[str, Refusal] = field(default_factory=lambda: ALL)
    versions: Versions = field(default_factory=Versions)
    words: Mapping[str, str] = field(default_factory=dict)
    base_url: str = BASE
    vendors: Sequence[Vendor] = ()

    @property
    def key(self) -> str:
        """What stands for a live key in examples; where a brand shows none, for a personal token."""
        return f"{self.brand.prefix(Mode.LIVE)}_REPLACE_ME" if self.brand.lists else self.token

    @property
    def token(self) -> str:
        """What stands for a personal token in examples."""
        return f"{self.brand.token_prefix}_REPLACE_ME"

    @property
    def test_key(self) -> str:
        """What stands for a test key in examples."""
        return f"{self.brand.prefix(Mode.TEST)}_REPLACE_ME"

    @property
    def keys_path(self) -> str:
        """The path of the console on which keys, or where a brand shows none the integrations that hold them, or tokens, are listed."""
        return {"keys": "/console/keys", "integrations": "/console/integrations"}.get(self._first, "/console/preferences/api")

    @property
    def create_label(self) -> str:
        """What stands on the button of that page that makes another one."""
        return {"keys": self.brand.words.create, "integrations": "Add New Integration"}.get(self._first, "Generate a new token")

    @property
    def api_plans(self) -> str:
        """Which plans include the API, in words; empty where all do."""
        return "" if all(plan.api_access for plan in self.plans) else offering_api(self.plans)

    @property
    def _titles(self) -> tuple[str, ...]:
        """What stands on the page that `keys_path` leads to, above the list."""
        return (self.brand.section,) if self.brand.section else () if self.brand.lists else ("API",)

    @property
    def _first(self) -> str:
        """The list that people are led to: of keys, else of integrations; empty where a brand shows neither."""
        return "keys" if "keys" in self.brand.lists else "".join(self.brand.lists)

    @property
    def first_list(self) -> Operation | None:
        """The host's first operation that only reads, and takes no parameter in its path."""
        plain = (one for one in self.operations if one.method == "GET" and "{" not in one.template and one.need is not None)
        return next(plain, None)

    def shown(self) -> dict[str, Any]:
        """Return the placeholders of Markdown pages."""
        return {
            "api": f"{self.base_url}{API}",
            "api_plans": self.api_plans,
            "base_url": self.base_url,
            "brand": self.brand,
            "create_label": self.create_label,
            "categories": self.categories,
            "first_list": self.first_list,
            "key": self.key,
            "key_pattern": regex(self.brand),
            "keys_at": " > ".join((*self.brand.navigation, *self._titles)),
            "keys_path": self.keys_path,
            "outbound": "",
            "live_prefix": f"{self.brand.prefix(Mode.LIVE)}_…",
            "token": self.token,
            "token_prefix": f"{self.brand.token_prefix}_…",
            "plans": self.plans,
            "newest_version": self.versions.newest,
            "webhook_schedule": _schedule(),
            "test_key": self.test_key,
            "test_prefix": f"{self.brand.prefix(Mode.TEST)}_…",
            "vendors": self.vendors,
            **self.words,
        }


def _schedule() -> list[dict[str, str]]:
    """When a delivery is tried, in words: each attempt with the pause before it, and the time since the first."""
    totals = accumulate(SCHEDULE_SECONDS)
    rows = zip(SCHEDULE_SECONDS, totals, strict=True)
    return [{"attempt": str(place), "pause": _long(pause), "total": _long(total)} for place, (pause, total) in enumerate(rows, 1)]


def _long(seconds: int) -> str:
    """A time in words: `2 h`, `75 h 35 min`."""
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    parts = [(hours, "h"), (minutes, "min"), (seconds % 60 if not hours else 0, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "at once"
