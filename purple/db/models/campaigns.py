"""Campaigns and their scans."""

from sqlalchemy import Column, ForeignKey, Integer, Table, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from purple.db.models.base import enum_text, key, metadata, moment, organisation, text, tuple_of
from purple.domain.campaigns import CampaignState, Phase
from purple.domain.tools import ScanState

campaigns = Table(
    "campaigns",
    metadata,
    key(),
    organisation(),
    text("workflow_id"),
    text("name"),
    text("profile"),
    Column("profile_version", Integer, nullable=False),
    Column("plan", JSONB, nullable=False),
    Column("authorisation_id", Uuid, ForeignKey("authorisations.id"), nullable=False),
    text("authorisation_digest"),
    Column("target_ids", tuple_of(Uuid()), nullable=False),
    Column("state", enum_text(CampaignState), nullable=False, index=True),
    moment("created_at"),
    Column("created_by", Uuid),
    Column("phase", enum_text(Phase)),
    text("reason"),
    moment("started_at", nullable=True),
    moment("ended_at", nullable=True),
    Column("summary", JSONB, nullable=False),
    Column("round", Integer, nullable=False, server_default="1"),
    text("run_id"),
    UniqueConstraint("organisation_id", "workflow_id"),
)

scans = Table(
    "scans",
    metadata,
    key(),
    organisation(),
    Column("campaign_id", Uuid, ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("target_id", Uuid, ForeignKey("targets.id"), nullable=False, index=True),
    text("key"),
    Column("phase", enum_text(Phase), nullable=False),
    text("tool"),
    text("host"),
    Column("port", Integer, nullable=False),
    text("url"),
    Column("options", JSONB, nullable=False),
    Column("state", enum_text(ScanState), nullable=False),
    moment("created_at"),
    text("reason"),
    text("address"),
    Column("attempt", Integer, nullable=False),
    moment("started_at", nullable=True),
    moment("ended_at", nullable=True),
    Column("exit_code", Integer),
    text("tool_version"),
    text("executable_sha256"),
    text("output_artifact"),
    text("log_artifact"),
    Column("observations", Integer, nullable=False),
    text("retry_id"),
    text("zone"),
    Column("worth", Integer, nullable=False, server_default="0"),
    Column("covered_by", Uuid),
    UniqueConstraint("campaign_id", "key"),
    UniqueConstraint("id", "organisation_id", "campaign_id", "target_id"),
    UniqueConstraint("id", "organisation_id", "campaign_id"),
)
"""The last two hold nothing that the primary key does not: what a scan saw refers to them, its whole origin at once."""
