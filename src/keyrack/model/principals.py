"""Who is calling, after proof. A principal never holds the secret: it is logged, compared and shown."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

from keyrack.model.embed_keys import Embedded
from keyrack.model.limits import Bucket
from keyrack.model.permissions import Category, Masks, OrgAccess, Rights, compile_rights
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, KEY_EXPIRED, Refusal
from keyrack.model.workspaces import Workspace


class Kind(StrEnum):
    """What proved the caller. `operator` is whoever runs the command line on the server itself."""

    KEY = "key"
    PERSONAL_TOKEN = "personal_token"
    ACCESS_TOKEN = "access_token"
    EMBED_KEY = "embed_key"
    VISITOR = "visitor"
    SESSION = "session"
    OPERATOR = "operator"


_SUBJECTS = {Kind.KEY: "this key", Kind.SESSION: "your membership", Kind.EMBED_KEY: "this embed key", Kind.VISITOR: "this visitor"}


class Mode(StrEnum):
    """Live or test, on each key. Test changes the same data, and skips calls to the outside."""

    LIVE = "live"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling and what they may do.

    `credential_id` and `credential_name` name the proof as the activity feed shows it; `prefix` is the part of the secret that may be
    shown. `derived_from` are all ids whose change ends this value's truth (CONSISTENCY §2). `refusal` is set where the credential is
    known but not accepted: such a call is refused, and logged under its name. `until` (ms since the epoch) is compared on every call;
    from then on `until_refusal` holds: an expiry, the end of a rotation's overlap, or of a membership. `because` is what such a refusal
    adds for whoever calls: one sentence, or nothing.

    `api_version` is what the credential is pinned to, an empty text before all versions; None of those that are pinned to nothing.

    Of a session: `proved_at` is when its person last proved who they are (0: not at all); one that a portal link began was asked for
    with the key `through_key_id`, and stands in a frame of `origin`; `may_use_api` says that its member may hold personal tokens.

    `embedded` is set of an embed key and of a visit that one opened, with nothing in `rights`; `origin` is the page's from which it calls.
    """

    kind: Kind
    workspace: Workspace
    credential_id: str
    credential_name: str
    prefix: str
    mode: Mode
    rights: Rights
    masks: Masks
    derived_from: frozenset[str]
    integration_id: str | None = None
    member_id: str | None = None
    person_id: str | None = None
    app_id: str | None = None
    grant_id: str | None = None
    until: int | None = None
    until_refusal: Refusal = KEY_EXPIRED
    proved_at: int = 0
    through_key_id: str | None = None
    origin: str | None = None
    ip_ranges: tuple[IPv4Network | IPv6Network, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    refusal: Refusal | None = None
    api_version: str | None = None
    because: str = ""
    may_use_api: bool = False
    embedded: Embedded | None = None

    @property
    def is_admin(self) -> bool:
        """Whether this principal manages the workspace."""
        return self.rights.org_access is OrgAccess.ADMIN

    @property
    def decides_roles(self) -> bool:
        """Whether this is a person who signed in by themselves, or the operator.

        They alone change members' roles and switch the API on: no credential does, and no session that one asked for (DESIGN §5).
        """
        return self.kind is Kind.OPERATOR or (self.kind is Kind.SESSION and self.through_key_id is None)

    @property
    def owner_id(self) -> str:
        """The integration, grant, member or app behind the credential: survives key rotation. Each visitor is one by themselves."""
        if self.embedded is not None and self.embedded.visitor is not None:
            return self.embedded.visitor
        return self.grant_id or self.integration_id or self.member_id or self.app_id or self.credential_id

    def require_admin(self, doing: str) -> None:
        """Refuse with 403 unless this principal manages the workspace."""
        if not self.is_admin:
            raise INSUFFICIENT_PERMISSION(f"To {doing}, you need org-level Admin; {self.describe()}.")

    def describe(self) -> str:
        """Say in a sentence's end what this principal has: `this key has customers:read`."""
        subject = _SUBJECTS.get(self.kind, "this token")
        parts = [] if self.rights.org_access is OrgAccess.NONE else [f"org-level {self.rights.org_access.value.title()}"]
        if self.rights.has_all:
            parts.append("all permissions")
        else:
            parts += [f"{name}:{level.word}" for name, level in sorted(self.rights.permissions.items())]
        return f"{subject} has {', '.join(parts) or 'no permissions'}"


def operator(workspace: Workspace, categories: dict[str, Category]) -> Principal:
    """Return the principal of the command line: whoever runs it on the server holds the store already."""
    rights = Rights(OrgAccess.ADMIN)
    return Principal(
        kind=Kind.OPERATOR,
        workspace=workspace,
        credential_id="operator",
        credential_name="command line",
        prefix="",
        mode=Mode.LIVE,
        rights=rights,
        masks=compile_rights(rights, categories),
        derived_from=frozenset(),
    )
