"""Campaigns and their scans."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from purple.db.models.base import enum_text, json_as, key, metadata, moment, organisation, text, tuple_of
from purple.domain.campaigns import CampaignState, Phase
from purple.domain.steering import Approval, ApprovalState, Orders
from purple.domain.tools import ScanState


def _write(orders: Orders) -> dict[str, Any]:
    return {
        "parallel": orders.parallel,
        "skipped": dict(orders.skipped),
        "left_out": [str(each) for each in orders.left_out],
        "approvals": {
            tool: {"state": each.state, "until": each.until.isoformat(), "by": each.by, "reason": each.reason}
            for tool, each in orders.approvals.items()
        },
        "added_by": [str(each) for each in orders.added_by],
    }


def _read(row: dict[str, Any]) -> Orders:
    approvals = {
        tool: Approval(ApprovalState(each["state"]), datetime.fromisoformat(each["until"]), each["by"], each["reason"])
        for tool, each in row.get("approvals", {}).items()
    }
    left_out, added_by = (tuple(map(UUID, row.get(name, ()))) for name in ("left_out", "added_by"))
    return Orders(row.get("parallel", 0), row.get("skipped", {}), left_out, approvals, added_by)


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
    Column("orders", json_as(_write, _read), nullable=False, server_default="{}"),
    UniqueConstraint("organisation_id", "workflow_id"),
)

scans = Table(
    "scans",
    metadata,
    key(),
    organisation(),
    Column("campaign_id", Uuid, ForeignKey("campaigns.id"), nullable=False),
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
    text("revision"),
    Column("batch", Integer, nullable=False, server_default="0"),
    Index("ix_scans_campaign_id_batch", "campaign_id", "batch"),
    text("zone"),
    Column("worth", Integer, nullable=False, server_default="0"),
    Column("covered_by", Uuid),
    UniqueConstraint("campaign_id", "key"),
    UniqueConstraint("id", "organisation_id", "campaign_id"),
    Index("ix_scans_durations", "organisation_id", "tool", "ended_at", postgresql_where="state = 'complete'"),
)
"""The last key holds nothing that the primary key does not: what is to be undone refers to its whole origin at once."""
