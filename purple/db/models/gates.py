"""Who is at the gate of a host, and which hosts are gone."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Uuid

from purple.db.models.base import enum_text, metadata, moment, organisation, text
from purple.domain.gates import LeaseState

gate_leases = Table(
    "gate_leases",
    metadata,
    Column("scan_id", Uuid, ForeignKey("scans.id"), primary_key=True),
    organisation(),
    Column("campaign_id", Uuid, nullable=False, index=True),
    Column("target_id", Uuid, nullable=False),
    text("host"),
    text("tool"),
    text("endpoint"),
    text("workflow_id"),
    Column("exclusive", Boolean, nullable=False),
    Column("state", enum_text(LeaseState), nullable=False),
    moment("since"),
    moment("expires_at", nullable=True),
    Column("holder", Uuid),
    Column("stops", Integer, nullable=False),
    text("reason"),
    Index("ix_gate_leases_host", "organisation_id", "host"),
)

gate_breakers = Table(
    "gate_breakers",
    metadata,
    organisation(),
    text("host"),
    Column("port", Integer, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("target_id", Uuid, nullable=False),
    Column("scan_id", Uuid, nullable=False),
    moment("since"),
    moment("probe_at"),
    Column("probes", Integer, nullable=False),
    PrimaryKeyConstraint("organisation_id", "host"),
)
