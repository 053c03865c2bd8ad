"""Parts of the register beside each other."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Query as QueryParameter

from api.console.deps import viewer
from api.console.pages import render
from api.deps import MAX_FILTER, service
from purple.domain.analytics import By, Part
from purple.domain.errors import InvalidInputError
from purple.domain.filters import NONE, quoted
from purple.domain.identity import Permission, Principal
from purple.domain.trends import read_day
from purple.services.analytics import AnalyticsReader

router = APIRouter(prefix="/targets/analytics")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_TARGETS))]
FindingsReader = Annotated[Principal, Depends(viewer(Permission.READ_VULNERABILITIES))]
ScanReader = Annotated[Principal, Depends(viewer(Permission.READ_SCANS))]


@router.get("")
async def page(
    request: Request,
    caller: Reader,
    _: FindingsReader,
    __: ScanReader,
    analytics: Annotated[AnalyticsReader, Depends(service("analytics"))],
    by: Annotated[str, QueryParameter(max_length=20)] = By.UNIT,
    since: Annotated[str, QueryParameter(max_length=20)] = "",
    until: Annotated[str, QueryParameter(max_length=20)] = "",
    filter: Annotated[str, QueryParameter(max_length=MAX_FILTER)] = "",  # noqa: A002 - its name on the wire
) -> Response:
    """By default by business unit, of the last 90 days."""
    if by not in list(By):
        raise InvalidInputError(f"{by!r} is no part", field="by", value=by, remedy=f"use one of {', '.join(By)}")
    chosen = By(by)
    days = (read_day(since, "since"), read_day(until, "until"))
    found = await analytics.targets(caller.organisation_id, chosen, *days, filter.strip())
    terms = {each.key: _narrowed(chosen, each, found.filter) for each in found.parts}
    return render(request, "analytics.html", found=found, ways=list(By), terms=terms)


def _narrowed(by: By, part: Part, filter_: str) -> str:
    """The filter that finds the targets of a part."""
    return f"{by}:{quoted(part.key) if part.key else NONE} {filter_}".strip()
