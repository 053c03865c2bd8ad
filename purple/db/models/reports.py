"""What a campaign leaves behind."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Uuid

from purple.db.models.base import enum_text, json_as, key, metadata, moment, organisation, text
from purple.domain.reports import Advice, ReportFormat, TriageState


def _write(advice: tuple[Advice, ...]) -> list[dict[str, Any]]:
    return [
        {
            "vulnerability_id": str(each.vulnerability_id),
            "rank": each.rank,
            "reason": each.reason,
            "observation_ids": [str(one) for one in each.observation_ids],
        }
        for each in advice
    ]


def _read(rows: list[dict[str, Any]]) -> tuple[Advice, ...]:
    return tuple(
        Advice(
            vulnerability_id=UUID(row["vulnerability_id"]),
            rank=row["rank"],
            reason=row["reason"],
            observation_ids=tuple(UUID(one) for one in row["observation_ids"]),
        )
        for row in rows
    )


triages = Table(
    "triages",
    metadata,
    Column("id", Uuid, ForeignKey("campaigns.id"), primary_key=True),
    organisation(),
    Column("state", enum_text(TriageState), nullable=False),
    text("reason"),
    text("model"),
    text("summary"),
    Column("advice", json_as(_write, _read), nullable=False),
    moment("created_at"),
    Column("round", Integer, nullable=False, server_default="1"),
)

reports = Table(
    "reports",
    metadata,
    key(),
    organisation(),
    Column("campaign_id", Uuid, ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("format", enum_text(ReportFormat), nullable=False),
    text("artifact"),
    Column("size", BigInteger, nullable=False),
    moment("created_at"),
)
