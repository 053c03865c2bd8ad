"""How many vulnerabilities there were, came and went; how scans went."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import FILTER_HELP, MAX_FILTER, allowed, service
from api.targets.endpoints import FIELDS as TARGET_FIELDS
from api.trends.schemas import ScanMetricsAnswer, TargetAnalyticsAnswer, TrendAnswer
from purple.domain.analytics import By
from purple.domain.identity import Permission, Principal
from purple.domain.trends import DAYS, MAX_DAYS
from purple.services.analytics import AnalyticsReader
from purple.services.trends import TrendsReader

router = APIRouter(tags=["trends"])
FindingsReader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
ScanReader = Annotated[Principal, Depends(allowed(Permission.READ_SCANS))]
TargetReader = Annotated[Principal, Depends(allowed(Permission.READ_TARGETS))]
Service = Annotated[TrendsReader, Depends(service("trends"))]


@dataclass(frozen=True, slots=True)
class Asked:
    """A period, and which targets."""

    since: date | None
    until: date | None
    filter: str


async def asked(
    since: Annotated[
        date | None, Query(description=f"The first day, at most {MAX_DAYS} before the last; by default {DAYS}")
    ] = None,
    until: Annotated[date | None, Query(description="The last day, by default today in UTC")] = None,
    filter: Annotated[  # noqa: A002 - its name on the wire
        str, Query(max_length=MAX_FILTER, description=f"Of which targets. {FILTER_HELP}{TARGET_FIELDS}")
    ] = "",
) -> Asked:
    """What to tell."""
    return Asked(since, until, filter)


@router.get("/trends")
async def get_trends(
    caller: FindingsReader, _: TargetReader, trends: Service, of: Annotated[Asked, Depends(asked)]
) -> TrendAnswer:
    """Open by severity, found, fixed and reopened by day; time to fix, age, due dates met, for a period."""
    return TrendAnswer.of(await trends.trend(caller.organisation_id, of.since, of.until, of.filter))


@router.get("/metrics/targets")
async def get_target_metrics(
    caller: FindingsReader,
    _: TargetReader,
    __: ScanReader,
    analytics: Annotated[AnalyticsReader, Depends(service("analytics"))],
    of: Annotated[Asked, Depends(asked)],
    by: Annotated[By, Query(description="What targets are put together by")] = By.UNIT,
) -> TargetAnalyticsAnswer:
    """Parts of the register beside each other: targets, coverage, open, past due, age, found, fixed, risk."""
    return TargetAnalyticsAnswer.of(await analytics.targets(caller.organisation_id, by, of.since, of.until, of.filter))


@router.get("/metrics/scans")
async def get_scan_metrics(
    caller: ScanReader, _: TargetReader, trends: Service, of: Annotated[Asked, Depends(asked)]
) -> ScanMetricsAnswer:
    """How the scans of each tool ended, how long they took and what they covered, for a period."""
    return ScanMetricsAnswer.of(await trends.scans(caller.organisation_id, of.since, of.until, of.filter))
