"""What people say of which targets are one machine, and what names resolved to."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Uuid

from purple.db.models.base import key, metadata, moment, organisation, text

machine_rulings = Table(
    "machine_rulings",
    metadata,
    key(),
    organisation(),
    Column("target_id", Uuid, ForeignKey("targets.id"), nullable=False),
    Column("other_id", Uuid, ForeignKey("targets.id"), nullable=False),
    Column("same", Boolean, nullable=False),
    moment("created_at"),
    text("actor"),
    text("why"),
    text("evidence"),
    moment("undone_at", nullable=True),
    text("undone_by"),
)
Index("ix_machine_rulings_target_id", machine_rulings.c.target_id, postgresql_where="undone_at IS NULL")
Index("ix_machine_rulings_other_id", machine_rulings.c.other_id, postgresql_where="undone_at IS NULL")

target_addresses = Table(
    "target_addresses",
    metadata,
    Column("target_id", Uuid, ForeignKey("targets.id"), primary_key=True),
    organisation(),
    text("address"),
    Column("scan_id", Uuid, nullable=False),
    moment("seen_at"),
    Index("ix_target_addresses_address", "address"),
)
"""The last one of each target that is a name."""
