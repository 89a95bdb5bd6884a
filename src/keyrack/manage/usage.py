"""Usage: what was used of a workspace's plan, and what the host counts by its meters."""

from keyrack.manage.desk import Desk
from keyrack.model.limits import Budget
from keyrack.model.meters import Meter, bucket_of
from keyrack.model.plans import Plan
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import PLAN_UPGRADE_REQUIRED, QUOTA_EXCEEDED, Refused
from keyrack.model.usage import ModeUsage, limit_usage, meter_usage
from keyrack.model.workspaces import Workspace


async def left(desk: Desk, actor: Principal) -> tuple[Budget, ...]:
    """Return what is left of each limit that the actor's calls are taken from. Raises Refused `store_unavailable`."""
    return await desk.budgets.look(actor.workspace.id, actor.buckets) if actor.buckets else ()


async def of(desk: Desk, actor: Principal) -> dict[Mode, ModeUsage]:
    """Return what was used of the plan of the actor's workspace, live and test apart, as far as it concerns the actor.

    Of limits per integration and per key those of the actor's own are told. Nothing, where the host has no such plan any more. Raises
    Refused `store_unavailable`.
    """
    plan = desk.plans.get(actor.workspace.plan)
    return {} if plan is None else {mode: await _in_mode(desk, actor, plan, mode) for mode in desk.brand.modes}


async def count(desk: Desk, workspace: Workspace, mode: Mode, meter: Meter, units: int) -> None:
    """Take units of a meter from the plan of a workspace, all of them or none.

    Raises Refused `quota_exceeded` where fewer are left; `plan_upgrade_required` where the host has no such plan any more;
    `store_unavailable`; ValueError for fewer than 0 units.
    """
    plan = desk.plans.get(workspace.plan)
    if plan is None:
        raise PLAN_UPGRADE_REQUIRED(f"The plan of this workspace is no longer offered, so nothing of {meter.title} is left.")
    bucket = bucket_of(meter, plan, workspace.id, mode)
    is_possible = units <= bucket.limit.at_once
    taken = await desk.budgets.take(workspace.id, (bucket,), units if is_possible else 0)
    if not is_possible or not taken.allowed:
        raise _exceeded(meter, units, taken.budgets[0], taken.retry_after_seconds)


async def _in_mode(desk: Desk, actor: Principal, plan: Plan, mode: Mode) -> ModeUsage:
    subjects = {"workspace": actor.workspace.id}
    if actor.kind not in (Kind.SESSION, Kind.OPERATOR):
        subjects["integration"] = actor.owner_id
        if mode is actor.mode:
            subjects["key"] = actor.credential_id
    limits = plan.buckets(mode, subjects)
    metered = tuple(bucket_of(meter, plan, actor.workspace.id, mode) for meter in desk.meters.values())
    budgets = await desk.budgets.look(actor.workspace.id, limits + metered) if limits or metered else ()
    now = desk.now()
    return ModeUsage(
        tuple(limit_usage(budget, now) for budget in budgets[: len(limits)]),
        tuple(
            meter_usage(meter, plan.meters[meter.name], budget, now)
            for meter, budget in zip(desk.meters.values(), budgets[len(limits) :], strict=True)
        ),
    )


def _exceeded(meter: Meter, units: int, budget: Budget, retry_after_seconds: int) -> Refused:
    said = f"The plan allows {budget.limit.quota:,} {meter.unit} in a {meter.window}, and {budget.remaining:,} are left"
    if not retry_after_seconds:
        return QUOTA_EXCEEDED(f"{said}: {units:,} at once are never possible.", extra={"violated-policies": [meter.name]})
    wanted = "" if units == 1 else f"; this call takes {units:,}"
    return QUOTA_EXCEEDED(
        f"{said}{wanted}. More come in {retry_after_seconds:,} s, when the next {meter.window} begins.",
        headers={"Retry-After": str(retry_after_seconds)},
        extra={"violated-policies": [meter.name]},
    )
