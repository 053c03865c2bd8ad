"""How risk was, by day."""

from sqlalchemy import Column, Date, Integer, PrimaryKeyConstraint, Table, Uuid

from purple.db.models.base import enum_text, metadata, organisation
from purple.domain.risk_history import Subject

risk_days = Table(
    "risk_days",
    metadata,
    organisation(),
    Column("subject", enum_text(Subject), nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("day", Date, nullable=False),
    Column("score", Integer, nullable=False),
    PrimaryKeyConstraint("organisation_id", "subject", "subject_id", "day"),
)
