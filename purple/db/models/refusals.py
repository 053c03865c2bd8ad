"""What contracts refused."""

from sqlalchemy import Column, ForeignKey, Index, Table, Uuid

from purple.db.models.base import key, metadata, moment, organisation, text

refusals = Table(
    "refusals",
    metadata,
    key(),
    organisation(),
    moment("at"),
    text("rule"),
    text("detail"),
    text("target"),
    text("tool"),
    Column("authorisation_id", Uuid, ForeignKey("authorisations.id")),
    Column("campaign_id", Uuid, ForeignKey("campaigns.id")),
    Column("scan_id", Uuid, ForeignKey("scans.id")),
    Index("ix_refusals_authorisation_id_at", "authorisation_id", "at"),
)
"""Append-only."""
