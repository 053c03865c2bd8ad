"""The life of vulnerabilities: what changed, what people say of them and did to many, and by when to fix them."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from purple.db.models.base import enum_text, key, metadata, moment, organisation, text
from purple.db.models.units import unit_key
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import ChangeCause

vulnerability_changes = Table(
    "vulnerability_changes",
    metadata,
    organisation(),
    Column("vulnerability_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    moment("at"),
    Column("cause", enum_text(ChangeCause), nullable=False),
    text("actor"),
    text("why"),
    Column("campaign_id", Uuid),
    Column("operation_id", Uuid),
    Column("before", JSONB, nullable=False),
    Column("after", JSONB, nullable=False),
    PrimaryKeyConstraint("vulnerability_id", "version"),
)
"""Append-only; `version` is the one that the vulnerability had afterwards."""
Index(
    "ix_vulnerability_changes_operation_id",
    vulnerability_changes.c.operation_id,
    postgresql_where="operation_id IS NOT NULL",
)

vulnerability_comments = Table(
    "vulnerability_comments",
    metadata,
    key(),
    organisation(),
    Column("vulnerability_id", Uuid, nullable=False, index=True),
    moment("created_at"),
    text("author"),
    text("body"),
)

triage_operations = Table(
    "triage_operations",
    metadata,
    key(),
    organisation(),
    moment("created_at"),
    text("actor"),
    text("why"),
    Column("asked", JSONB, nullable=False),
    Column("outcome", JSONB, nullable=False),
    moment("undone_at", nullable=True),
    text("undone_by"),
)

sla_rules = Table(
    "sla_rules",
    metadata,
    organisation(),
    Column("severity", enum_text(Severity), nullable=False),
    text("exposure"),
    Column("days", Integer, nullable=False),
    Column("unit_id", Uuid),
    unit_key(),
    Index(
        "uq_sla_rules_any",
        "organisation_id",
        "severity",
        "exposure",
        unique=True,
        postgresql_where="unit_id IS NULL",
    ),
    Index(
        "uq_sla_rules_unit",
        "organisation_id",
        "severity",
        "exposure",
        "unit_id",
        unique=True,
        postgresql_where="unit_id IS NOT NULL",
    ),
)
"""An empty `exposure` is any, and so is no unit."""
