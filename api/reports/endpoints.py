"""/reports."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from api.deps import allowed, paging, service
from api.schemas import Answer, PageAnswer
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.reports import Report, ReportFormat
from purple.services.reporting import Reporting

router = APIRouter(prefix="/reports", tags=["reports"])
FIELDS = "id, campaign_id, format, size, created_at"
Reader = Annotated[Principal, Depends(allowed(Permission.READ_REPORTS))]
Service = Annotated[Reporting, Depends(service("reporting"))]


class ReportAnswer(Answer):
    """A report; its bytes are at `/reports/{id}/content`."""

    id: UUID
    campaign_id: UUID
    format: ReportFormat
    artifact: str
    size: int
    created_at: datetime


@router.get("", response_model=PageAnswer[ReportAnswer])
async def list_reports(caller: Reader, reporting: Service, query: Annotated[Query, Depends(paging(FIELDS))]) -> object:
    """List, newest first by default."""
    return await reporting.page(caller.organisation_id, query)


@router.get("/{report_id}", response_model=ReportAnswer)
async def get_report(report_id: UUID, caller: Reader, reporting: Service) -> Report:
    """One report."""
    return await reporting.get(caller.organisation_id, report_id)


@router.get("/{report_id}/content", response_class=Response)
async def get_report_content(report_id: UUID, caller: Reader, reporting: Service) -> Response:
    """Its bytes. They are tool output in part: the browser must neither sniff them nor run anything in them."""
    report = await reporting.get(caller.organisation_id, report_id)
    return Response(await reporting.content(report), media_type=report.format.media_type, headers=headers_of(report))


def headers_of(report: Report, disposition: str = "inline") -> dict[str, str]:
    """What a browser must be told of a report."""
    return {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
        "Content-Disposition": f'{disposition}; filename="purple-{report.campaign_id}.{report.format}"',
    }
