"""Whose calls a large request log holds: some workspaces, one of which has a third of all lines."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from keyrack.model.principals import Kind, Mode
from keyrack.model.request_logs import RequestLog
from keyrack.store.ids import RequestIds, new_id, new_workspace_id

KEYS_PER_WORKSPACE = 50
OBJECTS_PER_WORKSPACE = 5_000
SHARE_OF_THE_LARGEST = 1 / 3
SEED = 20261121
RARE = "/api/v1/rarely-called"
OPERATIONS = [
    (method, f"/api/v1/{noun}{one}")
    for noun in ("customers", "contacts", "onboardings", "spaces")
    for method, one in (("GET", ""), ("GET", "/{id}"), ("PATCH", "/{id}"), ("POST", ""))
]


@dataclass(frozen=True)
class Crowd:
    """Whose calls they are."""

    workspace_ids: list[str]
    keys: dict[str, list[tuple[str, str, str]]]
    objects: dict[str, list[str]]

    @classmethod
    def of(cls, count: int) -> "Crowd":
        """Make so many workspaces. The first is the largest."""
        ids = [new_workspace_id() for _ in range(count)]
        keys = {id_: [(new_id(), f"Key {n}", new_id()) for n in range(KEYS_PER_WORKSPACE)] for id_ in ids}
        return cls(ids, keys, {id_: [new_id() for _ in range(OBJECTS_PER_WORKSPACE)] for id_ in ids})

    def lines(self, count: int, since: int, until: int) -> Iterator[RequestLog]:
        """Yield the calls of a time in order."""
        ids, pick = RequestIds(), random.Random(SEED)
        first, *others = self.workspace_ids
        for number in range(count):
            at = since + (until - since) * number // count
            workspace_id = first if pick.random() < SHARE_OF_THE_LARGEST else pick.choice(others)
            key_id, name, integration_id = pick.choice(self.keys[workspace_id])
            method, route = pick.choice(OPERATIONS) if pick.random() > 1e-4 else ("GET", RARE)
            status = 200 if pick.random() > 0.03 else pick.choice([400, 403, 404, 429, 500])
            yield RequestLog(
                ids.new(at),
                at,
                workspace_id,
                route.replace("{id}", pick.choice(self.objects[workspace_id])),
                route,
                method,
                status,
                None if status < 400 else "not_found",
                Kind.KEY,
                key_id,
                name,
                integration_id,
                mode=Mode.LIVE if pick.random() > 0.1 else Mode.TEST,
                ip_address="203.0.113.7",
                user_agent="acme-sync/2.1 (linux)",
                duration_us=int(pick.lognormvariate(8, 1)),
            )
