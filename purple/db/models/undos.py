"""How to take back what tools changed."""

from sqlalchemy import Column, Float, ForeignKeyConstraint, Index, Integer, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from purple.db.models.base import enum_text, key, metadata, moment, organisation, text
from purple.domain.undos import UndoState

undos = Table(
    "undos",
    metadata,
    key(),
    organisation(),
    Column("campaign_id", Uuid, nullable=False, index=True),
    Column("scan_id", Uuid, nullable=False),
    text("tool"),
    text("role"),
    text("title"),
    text("instructions"),
    Column("job", JSONB, nullable=False),
    Column("timeout_s", Float, nullable=False),
    Column("state", enum_text(UndoState), nullable=False),
    moment("created_at"),
    Column("round", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    text("last_error"),
    moment("done_at", nullable=True),
    text("done_by"),
    text("done_why"),
    text("zone"),
    ForeignKeyConstraint(
        ["scan_id", "organisation_id", "campaign_id"],
        ["scans.id", "scans.organisation_id", "scans.campaign_id"],
        name="fk_undos_scan_id",
    ),
)
Index("ix_undos_open", undos.c.campaign_id, postgresql_where=undos.c.state == UndoState.OPEN)
