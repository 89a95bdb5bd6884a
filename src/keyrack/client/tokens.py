"""Personal tokens."""

from datetime import datetime
from typing import Any

from msgspec import UNSET

from keyrack.client.objects import Object, Perhaps, Permissions, SpaceRole, SpaceRoles, Time, deleted, got, listed, made
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request


class Token(Object, frozen=True, kw_only=True):
    """A personal token. Its rights are those of this moment: what it was given, as far as its member has it."""

    id: str
    name: str
    prefix: str
    state: str
    is_default: bool
    member_id: str
    member_name: str
    member_email: str
    org_access: str
    permissions: dict[str, str]
    spaces: list[SpaceRole]
    api_version: str
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str | None
    made_with: str | None
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None
    created_at: datetime
    updated_at: datetime


class IssuedToken(Token, frozen=True, kw_only=True):
    """A new token with its secret, which is in this answer alone; left out of the repr."""

    secret: str


class Tokens(Part[S]):
    """Personal tokens. A client with a member's default token makes others, and that one's successor; no other client makes any."""

    def list(self, **filters: Any) -> Listing[S, Token]:
        """List tokens: `member_id`, `partner`, `former`, `ended`, `search`, `sort`, `updated_after`, and those of each list."""
        return Listing(self._sender, listed(Token, "tokens", **filters))

    @Operation
    def get(self, token_id: str) -> Request[Token]:
        """Get a token, also an ended one."""
        return got(Token, "tokens", token_id)

    @Operation
    def create(
        self,
        *,
        name: str,
        org_access: Perhaps[str] = UNSET,
        permissions: Perhaps[Permissions] = UNSET,
        spaces: Perhaps[SpaceRoles] = UNSET,
        expires_at: Time | None = None,
        idempotency_key: str | None = None,
    ) -> Request[IssuedToken]:
        """Make a named token with these rights. It ends with the token of this client."""
        fields = {"name": name, "org_access": org_access, "permissions": permissions, "spaces": spaces, "expires_at": expires_at}
        return made(IssuedToken, "tokens", idempotency_key=idempotency_key, **fields)

    @Operation
    def generate(self, *, end_named: bool = True, idempotency_key: str | None = None) -> Request[IssuedToken]:
        """Generate the default token. When this returns, the one of this client is refused: make another client with the new one."""
        return made(IssuedToken, "tokens", "default", end_named=end_named, idempotency_key=idempotency_key)

    @Operation
    def revoke(self, token_id: str) -> Request[None]:
        """End a token for good. When this returns, no call with it is accepted any more."""
        return deleted("tokens", token_id)
