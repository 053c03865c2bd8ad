"""Reports to look at and to keep."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Paging, viewer
from api.console.pages import HEADERS, render
from api.deps import service
from api.reports.endpoints import headers_of
from purple.domain.identity import Permission, Principal
from purple.domain.reports import ReportFormat
from purple.services.campaigns import Campaigns
from purple.services.reporting import Reporting

router = APIRouter(prefix="/reports")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_REPORTS))]
Service = Annotated[Reporting, Depends(service("reporting"))]
CampaignService = Annotated[Campaigns, Depends(service("campaigns"))]


@router.get("")
async def page(
    request: Request,
    caller: Reader,
    reporting: Service,
    campaigns: CampaignService,
    paging: Annotated[Paging, Depends()],
) -> Response:
    """By campaign, newest first."""
    found = await reporting.page(caller.organisation_id, paging.query("-created_at"))
    by_campaign: dict[UUID, list[object]] = {}
    for each in sorted(found.items, key=lambda report: report.created_at, reverse=True):
        by_campaign.setdefault(each.campaign_id, []).append(each)
    shown = [(await campaigns.get(caller.organisation_id, key), rows) for key, rows in by_campaign.items()]
    return render(request, "reports.html", page=found, shown=shown)


@router.get("/{report_id}")
async def one(
    report_id: UUID, request: Request, caller: Reader, reporting: Service, campaigns: CampaignService
) -> Response:
    """In a frame that may run nothing."""
    report = await reporting.get(caller.organisation_id, report_id)
    campaign = await campaigns.get(caller.organisation_id, report.campaign_id)
    return render(request, "report.html", report=report, campaign=campaign, framed=report.format is ReportFormat.HTML)


@router.get("/{report_id}/content")
async def content(report_id: UUID, caller: Reader, reporting: Service, *, download: bool = False) -> Response:
    """Its bytes, which are tool output in part."""
    report = await reporting.get(caller.organisation_id, report_id)
    headers = headers_of(report, "attachment" if download else "inline")
    headers["Content-Security-Policy"] += "; frame-ancestors 'self'"
    headers |= {name: HEADERS[name] for name in ("Cache-Control", "Referrer-Policy")}
    return Response(await reporting.content(report), media_type=report.format.media_type, headers=headers)
