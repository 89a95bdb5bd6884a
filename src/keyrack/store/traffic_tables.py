"""What is written with every call, as tables. On SQLite they lie in a second file (CONSISTENCY §3): nothing here is joined with `tables`.

On PostgreSQL the request log is partitioned by day, so that retention drops whole days; `request_logs` makes the partitions as days come.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

from keyrack.store.tables import NAMING, SCHEMA

metadata = MetaData(schema=SCHEMA, naming_convention=NAMING)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


# The columns stand in the order of RequestLog's fields. The key makes a line that arrives twice stay one line (CONSISTENCY §8), and it is
# the order in which a workspace's lines are read: so one tree is written per line. workspace_id is empty in the operator's log.
request_logs = Table(
    "keyrack_request_logs",
    metadata,
    _text("request_id"),
    _number("created_at"),
    _text("workspace_id"),
    _text("path"),
    _text("route", nullable=True),
    _text("method"),
    Column("status", Integer, nullable=False),
    _text("code", nullable=True),
    _text("credential_kind", nullable=True),
    _text("credential_id", nullable=True),
    _text("credential_name", nullable=True),
    _text("integration_id", nullable=True),
    _text("member_id", nullable=True),
    _text("app_id", nullable=True),
    _text("grant_id", nullable=True),
    _text("mode", nullable=True),
    _text("ip_address", nullable=True),
    _text("user_agent", nullable=True),
    _number("duration_us"),
    _text("reason", nullable=True),
    PrimaryKeyConstraint("workspace_id", "created_at", "request_id"),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (created_at)",
)

# In which ten seconds a term (a path segment, a route, a credential, …) occurs. A period of hours leads: what is written now lies
# together, and retention removes a range.
request_log_terms = Table(
    "keyrack_request_log_terms",
    metadata,
    Column("period", Integer, nullable=False),
    _number("term"),
    _number("slot"),
    PrimaryKeyConstraint("period", "term", "slot"),
    sqlite_with_rowid=False,
)

# Calls of one minute, by what they have in common (`kind` and `value`). A minute's count can lie in several parts, which add up.
call_counts = Table(
    "keyrack_call_counts",
    metadata,
    _text("workspace_id"),
    Column("day", Integer, nullable=False),
    _text("kind"),
    _text("value"),
    Column("minute", Integer, nullable=False),
    _text("mode"),
    _number("part"),
    Column("calls", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("durations", LargeBinary, nullable=False),
    PrimaryKeyConstraint("workspace_id", "day", "kind", "value", "minute", "mode", "part"),
    sqlite_with_rowid=False,
)

# What was counted with the lines of one batch, and has not been sorted into counts and uses yet.
uncounted_calls = Table(
    "keyrack_uncounted_calls",
    metadata,
    _text("workspace_id"),
    Column("minute", Integer, nullable=False),
    _number("part"),
    Column("calls", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("workspace_id", "minute", "part"),
    sqlite_with_rowid=False,
)

# When a credential was last accepted for an operation: what it has never used is what is missing here.
operation_uses = Table(
    "keyrack_operation_uses",
    metadata,
    _text("workspace_id"),
    _text("credential_id"),
    _text("method"),
    _text("route"),
    _number("used_at"),
    PrimaryKeyConstraint("workspace_id", "credential_id", "method", "route"),
    sqlite_with_rowid=False,
)

# How far each spool segment has been moved into the table.
spool_positions = Table(
    "keyrack_spool_positions",
    metadata,
    Column("segment", Text, primary_key=True),
    _number("position"),
    _number("updated_at"),
)

# What was used of limits per day and month, where it outlives the counters of several machines.
quotas = Table(
    "keyrack_quotas",
    metadata,
    _text("workspace_id"),
    _text("bucket"),
    _number("state"),
    PrimaryKeyConstraint("workspace_id", "bucket"),
    Index(None, "state"),
)

# When, and from where, a credential was last accepted.
credential_uses = Table(
    "keyrack_credential_uses",
    metadata,
    Column("credential_id", Text, primary_key=True),
    _text("workspace_id"),
    _number("used_at"),
    _text("ip_address", nullable=True),
    Index(None, "workspace_id"),
)
