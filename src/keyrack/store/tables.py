"""What must not be lost, as tables. Ids are text, times are milliseconds since the epoch.

On PostgreSQL the tables lie in the schema `keyrack`; SQLite has no schemas, so engines there translate it away and the name prefix does.
What is written often (request logs, last used, …) lies apart, in `traffic_tables`, because on SQLite it is another file.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.schema import BLANK_SCHEMA

SCHEMA = "keyrack"
NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

metadata = MetaData(schema=SCHEMA, naming_convention=NAMING)


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _text(name: str, *, nullable: bool = False, unique: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable, unique=unique)


def _time(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _digest() -> Column[bytes]:
    return Column("digest", LargeBinary, nullable=False, unique=True)


def _json(name: str) -> Column[object]:
    return Column(name, Json, nullable=False)


def _of(noun: str, name: str) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{SCHEMA}.keyrack_{noun}.id"), nullable=False)


workspaces = Table(
    "keyrack_workspaces",
    metadata,
    _id(),
    _text("name"),
    _text("slug", unique=True),
    _text("plan"),
    Column("api_enabled", Boolean, nullable=False),
    Column("revealing", Boolean, nullable=False, server_default=false()),
    _time("created_at"),
    _time("updated_at"),
    _time("deleted_at", nullable=True),
    Index(None, "created_at", "id"),
)

people = Table(
    "keyrack_people",
    metadata,
    _id(),
    _text("email", unique=True),
    _text("name"),
    _text("password_hash", nullable=True),
    _time("created_at"),
    _time("updated_at"),
    _time("email_verified_at", nullable=True),
)

# Who a person is to an identity provider: found by the provider's own name for them, so that an email that moves on takes nobody along.
identities = Table(
    "keyrack_identities",
    metadata,
    _text("issuer"),
    _text("subject"),
    _of("people", "person_id"),
    _time("created_at"),
    PrimaryKeyConstraint("issuer", "subject"),
    Index(None, "person_id"),
)

members = Table(
    "keyrack_members",
    metadata,
    _id(),
    _of("workspaces", "workspace_id"),
    _of("people", "person_id"),
    _text("role"),
    _text("org_access"),
    _json("permissions"),
    Column("may_use_api", Boolean, nullable=False),
    _text("status"),
    _time("access_until", nullable=True),
    _text("partner", nullable=True),
    _time("created_at"),
    _time("updated_at"),
    UniqueConstraint("workspace_id", "person_id"),
    Index(None, "workspace_id", "created_at", "id"),
    Index(None, "workspace_id", "updated_at", "id"),
    Index(None, "person_id"),
)

spaces = Table(
    "keyrack_spaces",
    metadata,
    _id(),
    _of("workspaces", "workspace_id"),
    _text("name"),
    _text("made_by"),
    _time("created_at"),
    _time("updated_at"),
    _time("deleted_at", nullable=True),
    Index(None, "workspace_id", "created_at", "id"),
    Index(None, "workspace_id", "updated_at", "id"),
)

# A holder is a member or an integration; holder_kind says which, so no foreign key can.
space_roles = Table(
    "keyrack_space_roles",
    metadata,
    _of("workspaces", "workspace_id"),
    _of("spaces", "space_id"),
    _text("holder_kind"),
    _text("holder_id"),
    _text("role"),
    PrimaryKeyConstraint("space_id", "holder_id"),
    Index(None, "holder_id"),
)

integrations = Table(
    "keyrack_integrations",
    metadata,
    _id(),
    _of("workspaces", "workspace_id"),
    _text("name"),
    _text("org_access"),
    _json("permissions"),
    _text("made_by"),
    _text("made_by_name"),
    _time("created_at"),
    _time("updated_at"),
    _time("deleted_at", nullable=True),
    _text("deleted_by", nullable=True),
    _text("partner", nullable=True),
    Index(None, "workspace_id", "created_at", "id"),
    Index(None, "workspace_id", "updated_at", "id"),
)

# Rows of ended keys stay, so that calls with them are logged under their name. `sealed` is the secret where the workspace reveals it.
keys = Table(
    "keyrack_keys",
    metadata,
    _id(),
    _of("workspaces", "workspace_id"),
    _of("integrations", "integration_id"),
    _text("name"),
    _text("mode"),
    _text("prefix"),
    _digest(),
    _time("created_at"),
    _time("updated_at"),
    _text("made_by"),
    _text("made_by_name"),
    _time("expires_at", nullable=True),
    _json("ip_ranges"),
    _time("disabled_at", nullable=True),
    _time("ends_at", nullable=True),
    _text("ended_by", nullable=True),
    _text("end_reason", nullable=True),
    _text("successor_id", nullable=True),
    Column("sealed", LargeBinary),
    _text("api_version", nullable=True),
    Index(None, "workspace_id", "created_at", "id"),
    Index(None, "workspace_id", "updated_at", "id"),
    Index(None, "integration_id", "created_at", "id"),
    Index(None, "expires_at"),
)

# That a key's maker was told of its expiry at this time, so many days before: once.
key_notices = Table(
    "keyrack_key_notices",
    metadata,
    _of("keys", "key_id"),
    _time("expires_at"),
    Column("days", BigInteger, nullable=False),
    _time("told_at"),
    PrimaryKeyConstraint("key_id", "expires_at", "days"),
)

invitations = Table(
    "keyrack_invitations",
    metadata,
    _id(),
    _of("workspaces", "workspace_id"),
    _text("email"),
    _text("role"),
    _digest(),
    _text("made_by"),
    _text("made_by_name"),
    _time("created_at"),
    _time("expires_at"),
    _time("accepted_at", nullable=True),
    Column("spaces", Json, nullable=False, server_default=text("'{}'")),
    _time("revoked_at", nullable=True),
    Column("may_use_api", Boolean, nullable=False, server_default=false()),
    _text("org_access", nullable=True),
    Column("permissions", Json, nullable=True),
    Index(None, "workspace_id", "created_at", "id"),
)

# proved_at is 0 where nobody proved who they are: a sign-in link lets in whoever holds it. A session that a portal link began has the key
# that asked for the link, and the origin of the page that may frame the console.
sessions = Table(
    "keyrack_sessions",
    metadata,
    _id(),
    _digest(),
    _of("people", "person_id"),
    _of("workspaces", "workspace_id"),
    _time("proved_at"),
    _time("created_at"),
    _time("expires_at"),
    _time("ended_at", nullable=True),
    _text("through_key_id", nullable=True),
    _text("origin", nullable=True),
    _text("address", nullable=True),
    _text("device", nullable=True),
    Index(None, "person_id"),
    Index(None, "workspace_id"),
)

# expires_at is null for the demo's link, which lives until it is used.
sign_in_links = Table(
    "keyrack_sign_in_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _of("people", "person_id"),
    _of("workspaces", "workspace_id"),
    _time("created_at"),
    _time("expires_at", nullable=True),
    _time("used_at", nullable=True),
    Column("purpose", Text, nullable=False, server_default="sign_in"),
    Index(None, "person_id"),
)

# Lets the very first person in, of whom there is nothing to name yet.
set_up_links = Table(
    "keyrack_set_up_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _time("created_at"),
    _time("expires_at"),
    _time("used_at", nullable=True),
)

portal_links = Table(
    "keyrack_portal_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _of("workspaces", "workspace_id"),
    _text("member_id"),
    _of("keys", "key_id"),
    _time("auth_time", nullable=True),
    _text("origin", nullable=True),
    _time("created_at"),
    _time("expires_at"),
    _time("used_at", nullable=True),
)

# Mail that waits to be sent. Its content is sealed, for it may hold links.
outbox = Table(
    "keyrack_outbox",
    metadata,
    _id(),
    _text("kind"),
    Column("sealed", LargeBinary, nullable=False),
    _time("created_at"),
    _time("due_at"),
    Column("attempts", BigInteger, nullable=False),
    _time("failed_at", nullable=True),
    Index(None, "due_at"),
)

# position is null until the sequencer has numbered the row, after its commit (CONSISTENCY §6).
events = Table(
    "keyrack_events",
    metadata,
    _id(),
    _of("workspaces", "workspace_id"),
    Column("position", BigInteger, unique=True),
    _text("type"),
    _text("object_type"),
    _text("object_id"),
    _text("actor_kind"),
    _text("actor_id"),
    _text("actor_name"),
    _text("actor_integration_id", nullable=True),
    _text("actor_member_id", nullable=True),
    _text("mode"),
    _text("request_id", nullable=True),
    _json("data"),
    _time("created_at"),
    Index(None, "workspace_id", "position"),
    Index(None, "workspace_id", "object_type", "position"),
)
Index(
    "ix_keyrack_events_unnumbered",
    events.c.created_at,
    events.c.id,
    sqlite_where=events.c.position.is_(None),
    postgresql_where=events.c.position.is_(None),
)


def _counter(name: str, column: str) -> Table:
    """A table of one row, whose lock puts those who raise it in order."""
    one = Column("id", BigInteger, primary_key=True, autoincrement=False)
    return Table(name, metadata, one, Column(column, BigInteger, nullable=False))


event_positions = _counter("keyrack_event_positions", "position")
revisions = _counter("keyrack_revisions", "revision")
COUNTER_ID = 1

# Every revision has at least one row here until it is pruned, so a missing number tells that rows were pruned (CONSISTENCY §2).
changes = Table(
    "keyrack_changes",
    metadata,
    Column("revision", BigInteger, nullable=False),
    _text("touched_id"),
    _text("change_id"),
    PrimaryKeyConstraint("revision", "touched_id"),
    Index(None, "change_id"),
)

# A process on PostgreSQL that may believe its memory until it must renew (CONSISTENCY §4). Nobody compares these rows with a clock:
# `renewal` is a count, and `length_ms` how long the process believes after each, on its own clock.
leases = Table(
    "keyrack_leases",
    metadata,
    _id(),
    Column("renewal", BigInteger, nullable=False),
    Column("seen_revision", BigInteger, nullable=False),
    Column("length_ms", BigInteger, nullable=False),
)

# What readers say of the docs. Nothing of it says who they are.
docs_feedback = Table(
    "keyrack_docs_feedback",
    metadata,
    _id(),
    _text("page"),
    Column("helpful", Boolean, nullable=False),
    _text("comment"),
    _time("created_at"),
    Index(None, "created_at", "id"),
    Index(None, "page", "created_at"),
)


def without_schema(source: MetaData) -> MetaData:
    """Return a copy of our tables as they are on SQLite."""
    copy = MetaData(naming_convention=NAMING)
    none: Any = None
    blank: Any = BLANK_SCHEMA
    for table in source.sorted_tables:
        table.to_metadata(copy, schema=none, referred_schema_fn=lambda *_: blank)
    return copy
