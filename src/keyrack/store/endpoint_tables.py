"""Endpoints as a table: addresses of customers, with how deliveries to them are signed."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from keyrack.store.tables import SCHEMA, Json, metadata

# `keys` are the signing keys, newest first: each sealed, in base 64, with the end of its overlap. Rows of deleted endpoints stay, so that
# what was delivered to them is listed under their address.
endpoints = Table(
    "keyrack_endpoints",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, ForeignKey(f"{SCHEMA}.keyrack_workspaces.id"), nullable=False),
    Column("integration_id", Text, ForeignKey(f"{SCHEMA}.keyrack_integrations.id"), nullable=True),
    Column("app_id", Text, nullable=True),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("events", Json, nullable=False),
    Column("mode", Text, nullable=False),
    Column("api_version", Text, nullable=True),
    Column("signature", Text, nullable=False),
    Column("keys", Json, nullable=False),
    Column("header_names", Json, nullable=False),
    Column("sealed_headers", LargeBinary, nullable=True),
    Column("parallel", Integer, nullable=False),
    Column("in_order", Boolean, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_by_name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger, nullable=True),
    Column("disable_reason", Text, nullable=True),
    Column("deleted_at", BigInteger, nullable=True),
    Column("deleted_by", Text, nullable=True),
    Index(None, "workspace_id", "created_at", "id"),
    Index(None, "workspace_id", "updated_at", "id"),
    Index(None, "integration_id"),
)
