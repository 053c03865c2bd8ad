"""What others publish: the same for every organisation, so that these tables alone carry none."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from purple.db.models.base import enum_text, metadata, moment, text
from purple.domain.enrichment import Dataset

reference_editions = Table(
    "reference_editions",
    metadata,
    Column("dataset", enum_text(Dataset), primary_key=True),
    text("version"),
    moment("published_at", nullable=True),
    moment("brought_at"),
    text("source"),
    text("sha256"),
    Column("facts", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
)

reference_facts = Table(
    "reference_facts",
    metadata,
    Column("dataset", enum_text(Dataset), nullable=False),
    Column("key", Text, nullable=False),
    Column("fact", JSONB),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("dataset", "key"),
)
"""A fact that is no longer published is null, so that its end has a revision as its other changes do."""
