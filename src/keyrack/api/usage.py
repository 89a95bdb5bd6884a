"""What is left of the limits of a caller, and what was used of the plan of its workspace. Both are free."""

from typing import Literal

from fastapi import APIRouter

from keyrack.api.dependencies import FREE, PLAIN, Actor, Desk
from keyrack.api.fields import ObjectView, Time, View
from keyrack.manage import usage
from keyrack.model.limits import Budget, Per
from keyrack.model.meters import Window
from keyrack.model.principals import Mode
from keyrack.model.usage import LimitUsage, MeterUsage, ModeUsage

router = APIRouter()


class PolicyView(View):
    """A limit of the caller's plan, under its name in `RateLimit-Policy`, and what is left of it.

    `quota` in `window_seconds` is the lasting rate, `burst` what may come at once. `remaining` is what `RateLimit` says, never above the
    quota; `burst_remaining` is all that could be taken at this moment. In `reset_seconds` more comes; 0: nothing is missing.
    """

    name: str
    per: Per
    quota: int
    window_seconds: int
    burst: int
    remaining: int
    burst_remaining: int
    reset_seconds: int


class RateLimitView(ObjectView):
    """The limits from which the calls of one credential are taken; `id` is the credential's."""

    object: Literal["rate_limit"] = "rate_limit"
    mode: Mode
    policies: list[PolicyView]


class LimitUsageView(View):
    """What was used of a limit: `used` and `remaining` make up `limit`. By `reset_at` nothing of it is used any more; null: nothing is."""

    name: str
    per: Per
    window_seconds: int
    limit: int
    used: int
    remaining: int
    reset_at: Time | None


class MeterUsageView(View):
    """What was counted by a meter in this day or month. `limit` and `remaining` are null where the plan sets no end.

    `window` and `reset_at` are null of what exists: `used` is how many there are, live and test together, and deleting one frees its place.
    """

    name: str
    title: str
    unit: str
    window: Window | None
    limit: int | None
    used: int
    remaining: int | None
    reset_at: Time | None


class ModeUsageView(View):
    """What was used in one mode."""

    limits: list[LimitUsageView]
    meters: list[MeterUsageView]


class PlanView(View):
    """The plan of a workspace."""

    name: str
    title: str


class UsageView(ObjectView):
    """What was used of a workspace's plan, live and test apart; `id` is the workspace's. `test` is null where keys have no modes."""

    object: Literal["usage"] = "usage"
    plan: PlanView
    live: ModeUsageView
    test: ModeUsageView | None


@router.get("/rate_limit", dependencies=[FREE, PLAIN])
async def get_rate_limit(actor: Actor, desk: Desk) -> RateLimitView:
    """Get what is left of the caller's limits. It takes nothing from them, and is answered also when nothing is left."""
    return RateLimitView(id=actor.credential_id, mode=actor.mode, policies=[_policy(budget) for budget in await usage.left(desk, actor)])


@router.get("/usage", dependencies=[FREE, PLAIN])
async def get_usage(actor: Actor, desk: Desk) -> UsageView:
    """Get what was used of the workspace's plan. It takes nothing from any limit."""
    plan = desk.plans[actor.workspace.plan]
    used = await usage.of(desk, actor)
    test = used.get(Mode.TEST)
    return UsageView(
        id=actor.workspace.id,
        plan=PlanView(name=plan.name, title=plan.title),
        live=_mode(used[Mode.LIVE]),
        test=None if test is None else _mode(test),
    )


def _policy(budget: Budget) -> PolicyView:
    limit = budget.limit
    return PolicyView(
        name=limit.name,
        per=limit.per,
        quota=limit.quota,
        window_seconds=limit.window_seconds,
        burst=limit.at_once,
        remaining=min(budget.remaining, limit.quota),
        burst_remaining=budget.remaining,
        reset_seconds=budget.reset_seconds,
    )


def _mode(used: ModeUsage) -> ModeUsageView:
    return ModeUsageView(limits=[_limit(one) for one in used.limits], meters=[_meter(one) for one in used.meters])


def _limit(one: LimitUsage) -> LimitUsageView:
    limit = one.limit
    return LimitUsageView(
        name=limit.name,
        per=limit.per,
        window_seconds=limit.window_seconds,
        limit=limit.at_once,
        used=one.used,
        remaining=one.remaining,
        reset_at=one.reset_at,
    )


def _meter(one: MeterUsage) -> MeterUsageView:
    meter = one.meter
    return MeterUsageView(
        name=meter.name,
        title=meter.title,
        unit=meter.unit,
        window=meter.window,
        limit=one.quota,
        used=one.used,
        remaining=one.remaining,
        reset_at=one.reset_at,
    )
