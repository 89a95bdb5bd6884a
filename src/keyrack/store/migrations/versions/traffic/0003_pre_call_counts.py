"""One tree per line of the request log, terms by periods of hours, and call counts. pre: no code runs without it.

The mover of an older process fails from here on: its lines wait in the spool for a newer one.
"""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, Text, text

revision = "traffic_0003"
down_revision = "traffic_0002"
branch_labels = None

SCHEMA = "keyrack"
SLOTS_PER_PERIOD = 1440
LOGS = "keyrack_request_logs"
TERMS = "keyrack_request_log_terms"
OLD_INDEX = "ix_keyrack_request_logs_workspace_id_created_at_request_id"


def upgrade(op: Operations) -> None:
    """Rebuild the log's key and the terms, and make the new tables."""
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_log(op)
    else:
        _alter_log(op)
    _rebuild_terms(op)
    _make_counts(op)


def _rebuild_log(op: Operations) -> None:
    old = f"{LOGS}_old"
    op.execute(text(f"DROP INDEX {OLD_INDEX}"))
    op.rename_table(LOGS, old)
    op.create_table(
        LOGS,
        _text("request_id"),
        _number("created_at"),
        _text("workspace_id"),
        _text("path"),
        Column("route", Text),
        _text("method"),
        Column("status", Integer, nullable=False),
        *(Column(name, Text) for name in ("code", "credential_kind", "credential_id", "credential_name", "integration_id")),
        *(Column(name, Text) for name in ("member_id", "app_id", "grant_id", "mode", "ip_address", "user_agent")),
        _number("duration_us"),
        Column("reason", Text),
        PrimaryKeyConstraint("workspace_id", "created_at", "request_id"),
        schema=SCHEMA,
        sqlite_with_rowid=False,
    )
    names = [str(row.name) for row in op.get_bind().execute(text(f"PRAGMA table_info({LOGS})"))]
    given = ["coalesce(workspace_id, '')" if name == "workspace_id" else name for name in names]
    given_rows = f"SELECT {', '.join(given)} FROM {old} ORDER BY workspace_id, created_at, request_id"  # noqa: S608
    op.execute(text(f"INSERT INTO {LOGS} ({', '.join(names)}) {given_rows}"))
    op.execute(text(f"DROP TABLE {old}"))


def _alter_log(op: Operations) -> None:
    # The parent's key and index are its partitions' too.
    log = f"{SCHEMA}.{LOGS}"
    for statement in (
        f"DROP INDEX {SCHEMA}.{OLD_INDEX}",
        f"ALTER TABLE {log} DROP CONSTRAINT pk_{LOGS}",
        f"UPDATE {log} SET workspace_id = '' WHERE workspace_id IS NULL",  # noqa: S608
        f"ALTER TABLE {log} ALTER COLUMN workspace_id SET NOT NULL",
        f"ALTER TABLE {log} ADD CONSTRAINT pk_{LOGS} PRIMARY KEY (workspace_id, created_at, request_id)",
    ):
        op.execute(text(statement))


def _rebuild_terms(op: Operations) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    prefix = "" if is_sqlite else f"{SCHEMA}."
    old = f"{prefix}{TERMS}_old"
    op.rename_table(TERMS, f"{TERMS}_old", schema=None if is_sqlite else SCHEMA)
    if not is_sqlite:
        op.execute(text(f"ALTER TABLE {old} DROP CONSTRAINT pk_{TERMS}"))
    op.create_table(
        TERMS,
        _whole("period"),
        _number("term"),
        _number("slot"),
        PrimaryKeyConstraint("period", "term", "slot"),
        schema=SCHEMA,
        sqlite_with_rowid=False,
    )
    given = f"SELECT slot / {SLOTS_PER_PERIOD}, term, slot FROM {old} ORDER BY 1, 2, 3"  # noqa: S608
    op.execute(text(f"INSERT INTO {prefix}{TERMS} (period, term, slot) {given}"))
    op.execute(text(f"DROP TABLE {old}"))


def _make_counts(op: Operations) -> None:
    op.create_table(
        "keyrack_call_counts",
        _text("workspace_id"),
        _whole("day"),
        _text("kind"),
        _text("value"),
        _whole("minute"),
        _text("mode"),
        _number("part"),
        _whole("calls"),
        _whole("refused"),
        _whole("errors"),
        Column("durations", LargeBinary, nullable=False),
        PrimaryKeyConstraint("workspace_id", "day", "kind", "value", "minute", "mode", "part"),
        schema=SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "keyrack_uncounted_calls",
        _text("workspace_id"),
        _whole("minute"),
        _number("part"),
        _whole("calls"),
        Column("content", LargeBinary, nullable=False),
        PrimaryKeyConstraint("workspace_id", "minute", "part"),
        schema=SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "keyrack_operation_uses",
        _text("workspace_id"),
        _text("credential_id"),
        _text("method"),
        _text("route"),
        _number("used_at"),
        PrimaryKeyConstraint("workspace_id", "credential_id", "method", "route"),
        schema=SCHEMA,
        sqlite_with_rowid=False,
    )


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _whole(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)
