"""How controls of frameworks stood, by day."""

from sqlalchemy import Column, Date, PrimaryKeyConstraint, Table

from purple.db.models.base import enum_text, metadata, organisation, text
from purple.domain.compliance import Status

compliance_days = Table(
    "compliance_days",
    metadata,
    organisation(),
    text("framework"),
    Column("day", Date, nullable=False),
    text("control"),
    Column("status", enum_text(Status), nullable=False),
    PrimaryKeyConstraint("organisation_id", "framework", "day", "control"),
)
