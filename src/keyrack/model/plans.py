"""Plans: what a workspace has paid for."""

from dataclasses import dataclass, field

from keyrack.model.limits import Limit


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. `limits` bound each workspace's calls; `log_days` is how long its request log is kept."""

    name: str
    title: str
    api_access: bool = True
    limits: tuple[Limit, ...] = field(default=(Limit("workspace", quota=1000, window_seconds=1, burst=5000),))
    log_days: int = 30
