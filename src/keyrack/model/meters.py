"""Meters: what of the host's own is counted, by day or month or as it exists, with a quota per plan."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from keyrack.model.limits import DAY_SECONDS, MONTH_SECONDS, QUOTA_MAX, Bucket, Limit, bucket_key
from keyrack.model.plans import Plan

Window = Literal["day", "month"]
WINDOW_SECONDS: Mapping[str, int] = {"day": DAY_SECONDS, "month": MONTH_SECONDS}
TEXT_LENGTH_MAX = 60
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Meter:
    """Something of the host's that plans bound: `Meter("messages", "Messages")`, with `Plan(…, meters={"messages": 10_000})`.

    `unit` is what stands behind a number of it, in the plural: by default the name. It is counted anew each UTC `window`, by default the
    month. With `existing` there is no window, and the plan bounds how many exist: it returns, for the id of a workspace, the SELECT of
    SQLAlchemy's that counts them in the host's tables. Raises ValueError for a name that is no word, a text that nobody can read, or both
    a window and `existing`.
    """

    name: str
    title: str
    unit: str = ""
    window: Window | None = None
    existing: Callable[[str], Any] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"meter {self.name!r}: a name has 1 to 40 of a-z, 0-9 and _, and begins with a letter")
        if self.existing is not None and self.window is not None:
            raise ValueError(f"meter {self.name!r}: what exists is not counted anew, so it has no window")
        if self.existing is None and self.window is None:
            object.__setattr__(self, "window", "month")
        if self.window is not None and self.window not in WINDOW_SECONDS:
            raise ValueError(f"meter {self.name!r}: its window is day or month, not {self.window!r}")
        if not self.unit:
            object.__setattr__(self, "unit", self.name.replace("_", " "))
        for text in (self.title, self.unit):
            if not text.strip() or len(text) > TEXT_LENGTH_MAX or not text.isprintable():
                raise ValueError(f"meter {self.name!r}: title and unit have 1 to {TEXT_LENGTH_MAX} printable characters")


@lru_cache(maxsize=1024)
def limit_of(meter: Meter, quota: int | None) -> Limit:
    """Return the limit that a meter's quota is; without an end, one that is never used up."""
    assert meter.window is not None, "what exists is counted where it is, and has no budget"
    return Limit(meter.name, quota or QUOTA_MAX, WINDOW_SECONDS[meter.window])


def bucket_of(meter: Meter, plan: Plan, workspace_id: str, mode: str) -> Bucket:
    """Return the bucket of a meter in one mode of a workspace. Its key is that of no limit: none has such a name."""
    return Bucket(limit_of(meter, plan.meters[meter.name]), bucket_key(workspace_id, mode, f"meter\0{meter.name}"))


def check_plans(plans: Iterable[Plan], meters: Mapping[str, Meter]) -> None:
    """Raise ValueError where a plan says nothing of a meter, or names one that there is not."""
    for plan in plans:
        for name in meters:
            if name not in plan.meters:
                raise ValueError(f"plan {plan.name!r} says nothing of the meter {name!r}: give it a quota in `meters`, or None for no end")
        for name in plan.meters:
            if name not in meters:
                raise ValueError(f"plan {plan.name!r} has a quota for {name!r}, which is no meter: add it to Keyrack(meters=[…])")
