"""Lines of the request log as a workspace has them after a busy day, without anybody having called."""

import random
from collections.abc import Iterator, Sequence

from keyrack.manage.keys import Issued
from keyrack.model.call_counts import MINUTE_MS, grouped
from keyrack.model.principals import Kind
from keyrack.model.request_logs import DAY_MS, RequestLog, terms_of
from keyrack.store import call_counts, request_log_days, request_logs
from keyrack.store.database import Store
from keyrack.store.ids import RequestIds, new_id
from keyrack.work.request_logs import settle

OPERATIONS = [
    ("GET", "/api/v1/customers", 5),
    ("GET", "/api/v1/customers/{customer_id}", 9),
    ("POST", "/api/v1/customers", 2),
    ("PATCH", "/api/v1/onboardings/{onboarding_id}", 3),
    ("GET", "/api/v1/onboardings", 4),
    ("DELETE", "/api/v1/customers/{customer_id}/contacts/{contact_id}", 1),
]
REFUSALS = {
    400: ("invalid_request", "name: write 1 to 200 characters."),
    403: ("insufficient_permission", "This call needs customers:write; this key has customers:read."),
    404: ("not_found", "There is no such customer."),
    429: ("rate_limited", "The workspace's limit of 1,000 calls a second is used up."),
    500: ("internal_error", "An error on our side stopped this call."),
}
MARKS = ("aurora", "borealis", "cirrus", "dunes", "ember")


def lines(workspace_id: str, issued: Sequence[Issued], count: int, since: int, until: int) -> Iterator[RequestLog]:
    """Yield calls of these keys, more of them by day than by night."""
    ids, pick = RequestIds(), random.Random(7)
    share = (until - since) / count
    methods, routes, weights = zip(*OPERATIONS, strict=True)
    for number in range(count):
        at = int(since + share * (number + pick.random()))
        busy = abs(at % 86_400_000 / 86_400_000 - 0.6) < 0.22
        if not busy and pick.random() > 0.45:
            continue
        chosen = pick.choices(range(len(OPERATIONS)), weights)[0]
        method, route = methods[chosen], routes[chosen]
        status = pick.choices([200, 400, 403, 404, 429, 500], [90, 2, 3, 4, 2, 1])[0]
        code, reason = REFUSALS.get(status, (None, None))
        key = pick.choice(issued).key
        path = route.replace("{contact_id}", new_id()[:12])
        for name in ("{customer_id}", "{onboarding_id}"):
            path = path.replace(name, pick.choice(MARKS))
        success = {"POST": 201, "DELETE": 204}.get(method, 200)
        yield RequestLog(
            ids.new(at),
            at,
            workspace_id,
            path,
            route,
            method,
            success if status == 200 else status,
            code,
            Kind.KEY,
            key.id,
            key.name,
            key.integration_id,
            mode=key.mode,
            ip_address=pick.choice(["203.0.113.7", "198.51.100.24", "2001:db8::1f"]),
            user_agent="acme-sync/2.1 (linux)",
            duration_us=int(pick.lognormvariate(9.6, 0.9)) + (2_100_000 if pick.random() < 0.004 else 0),
            reason=reason,
        )


async def write(store: Store, logged: Sequence[RequestLog]) -> None:
    """Put these lines into the log, and count them, as the mover does."""
    await request_log_days.make(store, {line.created_at // DAY_MS for line in logged})
    async with store.writing_traffic() as c:
        await request_logs.add(c, logged, terms_of(logged))
        await call_counts.add(c, grouped(logged))
    await settle(store, max(line.created_at for line in logged) + MINUTE_MS)
