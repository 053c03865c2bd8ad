"""Searches that people keep, and what those that are alerts have found."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, Table, UniqueConstraint, Uuid

from purple.db.models.base import key, metadata, moment, organisation, text

saved_searches = Table(
    "saved_searches",
    metadata,
    key(),
    organisation(),
    text("owner"),
    text("name"),
    text("query"),
    Column("shared", Boolean, nullable=False),
    Column("alert", Boolean, nullable=False),
    moment("created_at"),
    Column("version", Integer, nullable=False),
    UniqueConstraint("id", "organisation_id"),
)
Index("ix_saved_searches_owner", saved_searches.c.organisation_id, saved_searches.c.owner)

search_matches = Table(
    "search_matches",
    metadata,
    Column("search_id", Uuid, primary_key=True),
    Column("vulnerability_id", Uuid, primary_key=True),
    organisation(),
    moment("at"),
    ForeignKeyConstraint(
        ["search_id", "organisation_id"], ["saved_searches.id", "saved_searches.organisation_id"], ondelete="CASCADE"
    ),
)
"""What an alert has told of, or found when it was switched on: nobody hears of it again."""
