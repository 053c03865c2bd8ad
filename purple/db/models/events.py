"""The outbox, how far each feed has read it, and answers to repeated requests."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from purple.db.models.base import key, metadata, moment, organisation, text

events = Table(
    "events",
    metadata,
    key(),
    organisation(),
    Column("seq", BigInteger, Identity(), nullable=False),
    text("type"),
    Column("subject_id", Uuid, nullable=False),
    moment("at"),
    Column("data", JSONB, nullable=False),
    Column("campaign_id", Uuid),
    Column("position", BigInteger, unique=True),
    Index("ix_events_unplaced", "seq", postgresql_where="position IS NULL"),
    Index("ix_events_campaign_id", "campaign_id", "at"),
)
"""`seq` commits out of order and only orders the relay's work; `position` is given after commit."""

feeds = Table(
    "feeds",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    moment("at"),
)
"""The relay's own; it holds no organisation's data, and everybody may read it."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("organisation_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    text("request_sha256"),
    Column("row_id", Uuid, nullable=False),
    moment("created_at"),
)
