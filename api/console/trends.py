"""How many vulnerabilities there were, came and went, drawn; how scans went."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Query as QueryParameter

from api.console.charts import flows, spans, stack
from api.console.deps import viewer
from api.console.pages import render
from api.deps import MAX_FILTER, service
from purple.domain.identity import Permission, Principal
from purple.domain.trends import WORST_FIRST, read_day
from purple.services.trends import TrendsReader

router = APIRouter()
FindingsReader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
ScanReader = Annotated[Principal, Depends(viewer(Permission.READ_SCANS))]
TargetReader = Annotated[Principal, Depends(viewer(Permission.READ_TARGETS))]


@router.get("/trends")
async def trends(
    request: Request,
    caller: FindingsReader,
    _: ScanReader,
    __: TargetReader,
    trends: Annotated[TrendsReader, Depends(service("trends"))],
    since: Annotated[str, QueryParameter(max_length=20)] = "",
    until: Annotated[str, QueryParameter(max_length=20)] = "",
    filter: Annotated[str, QueryParameter(max_length=MAX_FILTER)] = "",  # noqa: A002 - its name on the wire
) -> Response:
    """By default of the last 90 days and all targets."""
    asked = (caller.organisation_id, read_day(since, "since"), read_day(until, "until"), filter.strip())
    trend = await trends.trend(*asked)
    shown = spans(trend.days)
    return render(
        request,
        "trends.html",
        trend=trend,
        metrics=await trends.scans(*asked),
        stack=stack(trend.days),
        spans=shown,
        flows=flows(shown),
        severities=WORST_FIRST,
        middle=trend.days[len(trend.days) // 2].day,
    )
