"""What each organisation weighs risk by, and how far it is weighed."""

from sqlalchemy import BigInteger, Column, Integer, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from purple.db.models.base import metadata

risk_rules = Table(
    "risk_rules",
    metadata,
    Column("organisation_id", Uuid, primary_key=True),
    Column("weights", JSONB),
    Column("version", Integer, nullable=False),
    Column("weighed_version", Integer, nullable=False),
    Column("weighed_model", Integer, nullable=False),
    Column("weighed_revision", BigInteger, nullable=False),
)
"""Without weights those that are shipped count; without a row all is weighed by them."""
