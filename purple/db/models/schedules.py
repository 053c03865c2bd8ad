"""Schedules, and what became of each time at which one was due."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from purple.db.models.base import enum_text, json_as, key, metadata, moment, organisation, text, tuple_of
from purple.domain.schedules import Cause, Overlap, RunOutcome, ScheduleState, Timing


def _write(timing: Timing) -> dict[str, Any]:
    return {
        "cron": list(timing.cron),
        "calendar": list(timing.calendar),
        "time_zone": timing.time_zone,
        "jitter_s": timing.jitter_s,
        "overlap": timing.overlap,
        "catch_up_s": timing.catch_up_s,
        "start_at": timing.start_at.isoformat() if timing.start_at else None,
        "end_at": timing.end_at.isoformat() if timing.end_at else None,
    }


def _read(row: dict[str, Any]) -> Timing:
    ends = {name: datetime.fromisoformat(row[name]) if row[name] else None for name in ("start_at", "end_at")}
    rules = {name: tuple(row[name]) for name in ("cron", "calendar")}
    return Timing(**row | ends | rules | {"overlap": Overlap(row["overlap"])})


schedules = Table(
    "schedules",
    metadata,
    key(),
    organisation(),
    text("name"),
    text("profile"),
    Column("target_ids", tuple_of(Uuid()), nullable=False),
    Column("authorisation_id", Uuid, ForeignKey("authorisations.id"), nullable=False),
    Column("options", JSONB, nullable=False),
    Column("timing", json_as(_write, _read), nullable=False),
    Column("state", enum_text(ScheduleState), nullable=False),
    text("owner"),
    moment("created_at"),
    moment("settled_until"),
    Column("created_by", Uuid),
    text("note"),
    moment("paused_at", nullable=True),
    Column("version", Integer, nullable=False),
    Column("told_version", Integer, nullable=False),
    Index("uq_schedules_name", "organisation_id", "name", unique=True, postgresql_where="state <> 'deleted'"),
)

schedule_runs = Table(
    "schedule_runs",
    metadata,
    key(),
    organisation(),
    Column("schedule_id", Uuid, ForeignKey("schedules.id"), nullable=False),
    moment("due_at"),
    Column("cause", enum_text(Cause), nullable=False),
    Column("outcome", enum_text(RunOutcome), nullable=False),
    text("reason"),
    moment("created_at"),
    Column("campaign_id", Uuid, ForeignKey("campaigns.id")),
    UniqueConstraint("schedule_id", "due_at"),
)
