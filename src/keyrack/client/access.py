"""All that somebody could call with."""

from typing import Any

from keyrack.client.objects import Object, made, reader
from keyrack.client.operations import Operation, Part, S
from keyrack.client.requests import Request, path_of, request_of


class Access(Object, frozen=True, kw_only=True):
    """What somebody could call the API with. `known` are keys that they made, or were shown, and that go on."""

    member_id: str | None
    partner: str | None
    members: list[str]
    integrations: list[str]
    tokens: int
    grants: int
    keys: int
    known_keys: int
    known: list[dict[str, Any]]


class AccessOf(Part[S]):
    """What one member, or one partner, could call the API with: `member_id` or `partner` says whose."""

    @Operation
    def get(self, *, member_id: str | None = None, partner: str | None = None) -> Request[Access]:
        """Get what somebody could call with."""
        return request_of("GET", path_of("access"), reader(Access), query={"member_id": member_id, "partner": partner})

    @Operation
    def revoke(
        self,
        *,
        member_id: str | None = None,
        partner: str | None = None,
        for_good: bool = True,
        idempotency_key: str | None = None,
    ) -> Request[Access]:
        """End all of it at once, and return what there was."""
        fields = {"member_id": member_id, "partner": partner, "for_good": for_good}
        return made(Access, "access", "revoke", idempotency_key=idempotency_key, **fields)
