"""What calls cost, checked when the host starts: a call that no budget could ever meet would be refused for good."""

from collections.abc import Iterable, Sequence

from keyrack.embed.routes import UndeclaredRoute
from keyrack.gate.table import Route
from keyrack.model.catalog import Operation
from keyrack.model.plans import Plan


def check_costs(rows: Iterable[Route], plans: Sequence[Plan]) -> None:
    """Raise UndeclaredRoute, naming the route, for a cost that is no number of units or that a full budget of some plan could not meet."""
    for row in rows:
        operation = row.operation
        if not isinstance(operation.cost, int) or isinstance(operation.cost, bool) or operation.cost < 0:
            raise UndeclaredRoute(f"{_where(operation)}: cost={operation.cost!r} is no number of units: write 0 (free), 1, 2, …")
        for plan in plans:
            _check_plan(operation, plan)


def _check_plan(operation: Operation, plan: Plan) -> None:
    # Without API access no call of the plan comes as far as its limits.
    for limit in plan.limits if plan.api_access else ():
        if operation.cost > limit.at_once:
            raise UndeclaredRoute(
                f"{_where(operation)} costs {operation.cost}, and the limit {limit.name!r} of the plan {plan.name!r} never holds more than "
                f"{limit.at_once}: lower the cost, or raise the quota or burst."
            )


def _where(operation: Operation) -> str:
    return f"{operation.method} {operation.template}"
