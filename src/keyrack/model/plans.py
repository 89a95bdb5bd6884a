"""Plans: what a workspace has paid for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from keyrack.model.limits import QUOTA_MAX, Bucket, Limit, bucket_key

LIMITS_MAX = 8
"""A call takes from all limits of its plan, so there are few."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. `log_days` is how long the request log is kept.

    `limits` are its policies: each bounds the calls of a workspace, or of each integration or key, live and test apart. A call takes its
    cost from all of them, or from none. `meters` are quotas of what the host counts, by the name of the meter; None: counted, without an
    end. Of plans with API access the host lists the smallest first: whoever lacks it is led there. Raises ValueError for two limits of one
    name, too many of them, and a quota that is none.
    """

    name: str
    title: str
    api_access: bool = True
    limits: tuple[Limit, ...] = field(default=(Limit("workspace", quota=1000, window_seconds=1, burst=5000),))
    log_days: int = 30
    meters: Mapping[str, int | None] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        names = [limit.name for limit in self.limits]
        if len(names) > LIMITS_MAX:
            raise ValueError(f"plan {self.name!r} has {len(names)} limits: {LIMITS_MAX} at most")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"plan {self.name!r} has two limits named {name!r}: callers could not tell them apart")
        for name, quota in self.meters.items():
            if quota is not None and not 1 <= quota <= QUOTA_MAX:
                raise ValueError(
                    f"plan {self.name!r}: the quota of {name!r} must be from 1 to {QUOTA_MAX}, or None for no end, not {quota}"
                )

    def buckets(self, mode: str, subjects: Mapping[str, str]) -> tuple[Bucket, ...]:
        """Return the buckets of a mode for the subjects that are given, by what limits are `per`."""
        return tuple(Bucket(limit, bucket_key(subjects[limit.per], mode, limit.name)) for limit in self.limits if limit.per in subjects)


def offering_api(plans: Iterable[Plan]) -> str:
    """Say which plans include the API: `Starter`, or `Starter and above` where others that do stand behind it; empty where none does."""
    titles = [plan.title for plan in plans if plan.api_access]
    return f"{titles[0]} and above" if len(titles) > 1 else "".join(titles)


def missing_api(plans: Mapping[str, Plan], name: str) -> str:
    """Say that a plan does not include the API, and which ones do; empty where it does. One that the host no longer has gives nothing."""
    plan, offering = plans.get(name), offering_api(plans.values())
    if plan is not None and plan.api_access:
        return ""
    said = "The plan of this workspace is no longer offered." if plan is None else f"The plan {plan.title} does not include the API."
    return f"{said} It is available on {offering}." if offering else said
