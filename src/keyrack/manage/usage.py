"""Usage: what was used of a workspace's plan, and what the host counts by its meters."""

from collections.abc import Mapping

from keyrack.manage.desk import Desk
from keyrack.model.limits import Budget
from keyrack.model.meters import Meter, bucket_of
from keyrack.model.plans import Plan
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import PLAN_UPGRADE_REQUIRED, QUOTA_EXCEEDED, Refused
from keyrack.model.usage import ModeUsage, existing_usage, limit_usage, meter_usage
from keyrack.model.workspaces import Workspace
from keyrack.store import existing
from keyrack.store.existing import Counting, HostSession


async def left(desk: Desk, actor: Principal) -> tuple[Budget, ...]:
    """Return what is left of each limit that the actor's calls are taken from. Raises Refused `store_unavailable`."""
    return await desk.budgets.look(actor.workspace.id, actor.buckets) if actor.buckets else ()


async def of(desk: Desk, actor: Principal) -> dict[Mode, ModeUsage]:
    """Return what was used of the plan of the actor's workspace, live and test apart, as far as it concerns the actor.

    Of limits per integration and per key those of the actor's own are told; what exists is the same in both. Nothing, where the host has no
    such plan any more. Raises Refused `store_unavailable`.
    """
    plan = desk.plans.get(actor.workspace.plan)
    if plan is None:
        return {}
    there = await _existing(desk, actor.workspace.id)
    return {mode: await _in_mode(desk, actor, plan, mode, there) for mode in desk.brand.modes}


async def count(desk: Desk, workspace: Workspace, mode: Mode, meter: Meter, units: int, session: HostSession | None = None) -> None:
    """Take units of a meter from the plan of a workspace, all of them or none; of what exists, make sure in the host's session that there
    is room for so many more.

    Raises Refused `quota_exceeded` where fewer are left; `plan_upgrade_required` where the host has no such plan any more;
    `store_unavailable`; ValueError for fewer than 0 units, and for what exists without a session.
    """
    if (meter.existing is None) is not (session is None):
        raise ValueError(f"{meter.name!r}: what exists is counted in a session, and nothing else is")
    plan = desk.plans.get(workspace.plan)
    if plan is None:
        raise PLAN_UPGRADE_REQUIRED(f"The plan of this workspace is no longer offered, so nothing of {meter.title} is left.")
    if meter.existing is not None and session is not None:
        await _make_room(plan, workspace.id, meter, meter.existing, units, session)
        return
    bucket = bucket_of(meter, plan, workspace.id, mode)
    is_possible = units <= bucket.limit.at_once
    taken = await desk.budgets.take(workspace.id, (bucket,), units if is_possible else 0)
    if not is_possible or not taken.allowed:
        raise _exceeded(meter, units, taken.budgets[0], taken.retry_after_seconds)


async def _make_room(plan: Plan, workspace_id: str, meter: Meter, counting: Counting, units: int, session: HostSession) -> None:
    """Raise Refused `quota_exceeded` unless the plan holds so many more of what exists. Nobody else adds one before the session ends."""
    if units < 0:
        raise ValueError(f"{meter.name!r}: units must be 0 or more, not {units}")
    quota = plan.meters[meter.name]
    if quota is None or units == 0:
        return
    there = await existing.count_alone(session, workspace_id, counting)
    if there + units > quota:
        wanted = "" if units == 1 else f"; this call adds {units:,}"
        stand = f"The plan's limit for {meter.unit} is {quota:,}; there now: {there:,}{wanted}."
        raise QUOTA_EXCEEDED(f"{stand} Delete some to make room, or take a greater plan.", extra={"violated-policies": [meter.name]})


async def _existing(desk: Desk, workspace_id: str) -> dict[str, int]:
    """Return how many exist, by the name of each meter that counts them."""
    counting = {meter.name: meter.existing for meter in desk.meters.values() if meter.existing is not None}
    if not counting:
        return {}
    async with desk.store.reading() as c:
        return {name: await existing.count(c, workspace_id, of) for name, of in counting.items()}


async def _in_mode(desk: Desk, actor: Principal, plan: Plan, mode: Mode, there: Mapping[str, int]) -> ModeUsage:
    subjects = {"workspace": actor.workspace.id}
    if actor.kind not in (Kind.SESSION, Kind.OPERATOR):
        subjects["integration"] = actor.owner_id
        if mode is actor.mode:
            subjects["key"] = actor.credential_id
    limits = plan.buckets(mode, subjects)
    counted = [meter for meter in desk.meters.values() if meter.name not in there]
    metered = tuple(bucket_of(meter, plan, actor.workspace.id, mode) for meter in counted)
    budgets = await desk.budgets.look(actor.workspace.id, limits + metered) if limits or metered else ()
    now = desk.now()
    of_meters = {meter.name: budget for meter, budget in zip(counted, budgets[len(limits) :], strict=True)}
    return ModeUsage(
        tuple(limit_usage(budget, now) for budget in budgets[: len(limits)]),
        tuple(
            existing_usage(meter, plan.meters[name], there[name])
            if name in there
            else meter_usage(meter, plan.meters[name], of_meters[name], now)
            for name, meter in desk.meters.items()
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
