"""What verdicts taught, and what each organisation does with what is likely false."""

from sqlalchemy import Boolean, Column, Float, Integer, Table, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from purple.db.models.base import enum_text, json_as, key, metadata, moment, organisation, text
from purple.domain.calibration import Figures
from purple.domain.severity import Severity

false_positive_models = Table(
    "false_positive_models",
    metadata,
    key(),
    organisation(),
    moment("created_at"),
    Column("version", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("false", Integer, nullable=False),
    Column("in_use", Boolean, nullable=False),
    text("why"),
    Column("weights", JSONB, nullable=False),
    Column("past", json_as(dict, lambda told: {key: tuple(counts) for key, counts in told.items()}), nullable=False),
    Column("figures", json_as(Figures.told, Figures.of), nullable=False),
    UniqueConstraint("organisation_id", "version"),
)

false_positive_rules = Table(
    "false_positive_rules",
    metadata,
    Column("organisation_id", Uuid, primary_key=True),
    Column("threshold", Float),
    Column("below", enum_text(Severity), nullable=False, server_default="high"),
    Column("version", Integer, nullable=False),
    Column("scored_version", Integer, nullable=False),
    Column("scored_model", Integer, nullable=False),
    Column("scored_release", Integer, nullable=False),
)
"""Without a threshold no policy acts; `scored_…` say by which policy, model and release all is scored."""
