"""Reports: everything a campaign found, and what it did not cover, as PDF, HTML and JSON."""

import itertools
from collections.abc import Iterable
from uuid import UUID, uuid5

from purple.contracts.campaigns import CampaignRef, Reported
from purple.domain.campaigns import Phase
from purple.domain.clock import Clock
from purple.domain.errors import PurpleError
from purple.domain.objects import ObjectStore
from purple.domain.observations import RecordedObservation
from purple.domain.pages import Page, Query
from purple.domain.ports import Orchestrator, UnitOfWork, Work
from purple.domain.reports import Report, ReportData, ReportFormat, ReportRenderer, Triage, TriageState
from purple.services.events import enter, event, nth
from purple.services.summaries import worst_first

_EVIDENCE = 3
MAX_VULNERABILITIES = 1_000
"""That a report tells of, the worst first, and how many there are in all. Time and memory of a PDF grow with them."""
MAX_SCANS = 1_000
"""That a report lists, gaps first; of all it tells how many ended how."""


def _distinct(seen: Iterable[RecordedObservation]) -> tuple[RecordedObservation, ...]:
    """Without repetitions of what one tool said before."""
    return tuple({(each.tool, each.seen.evidence): each for each in seen}.values())


class Reporting:
    """May run twice: a report that is written stays. Each round has its own."""

    def __init__(
        self,
        work: Work,
        renderer: ReportRenderer,
        objects: ObjectStore,
        orchestrator: Orchestrator,
        clock: Clock,
        api_url: str = "",
    ) -> None:
        self._work = work
        self._renderer = renderer
        self._objects = objects
        self._orchestrator = orchestrator
        self._clock = clock
        self._api_url = api_url

    async def write(self, ref: CampaignRef) -> Reported:
        """Render every format; one that cannot be written is named with its reason and hinders no other."""
        now = self._clock.now()
        async with self._work(ref.organisation_id) as uow:
            campaign = await uow.campaigns.get(ref.campaign_id)
            await enter(uow, ref, Phase.REPORT, now)
            ids = {wanted: uuid5(campaign.id, nth(ref, wanted)) for wanted in ReportFormat}
            known = {wanted for wanted, one in ids.items() if await uow.reports.find(one)}
            data = await self._data(uow, ref)
        failed: dict[str, str] = {}
        made: list[Report] = []
        for wanted in ReportFormat:
            if wanted in known:
                continue
            try:
                body = await self._renderer.render(data, wanted)
            except PurpleError as error:
                failed[wanted] = error.line()
                continue
            made.append(
                Report(
                    id=ids[wanted],
                    organisation_id=campaign.organisation_id,
                    campaign_id=campaign.id,
                    format=wanted,
                    artifact=await self._objects.put(body),
                    size=len(body),
                    created_at=now,
                )
            )
        async with self._work(ref.organisation_id) as uow:
            for report in made:
                await uow.reports.upsert(report)
                await uow.events.add(
                    event(
                        ref.organisation_id,
                        "report.written",
                        report.id,
                        now,
                        campaign_id=campaign.id,
                        data={"format": report.format, "sha256": report.artifact},
                    )
                )
        return Reported(written=tuple(sorted({*known, *(report.format for report in made)})), failed=failed)

    async def _data(self, uow: UnitOfWork, ref: CampaignRef) -> ReportData:
        campaign = await uow.campaigns.get(ref.campaign_id)
        authorisation = await uow.authorisations.get(campaign.authorisation_id)
        seen = await uow.findings.seen_by(campaign.id, MAX_VULNERABILITIES)
        told = {each.id: each.observation_ids[:_EVIDENCE] for each in seen}
        observed = await uow.findings.observed(itertools.chain.from_iterable(told.values()))
        evidence = {one: _distinct(observed[each] for each in ids) for one, ids in told.items()}
        coverage = {str(state): n for state, n in sorted((await uow.scan_sets.counts(campaign.id)).items())}
        triage = await uow.triages.find(campaign.id)
        links = {"Temporal": self._orchestrator.link(campaign.workflow_id)}
        if self._api_url:
            links["API"] = f"{self._api_url}/api/v1/campaigns/{campaign.id}"
        return ReportData(
            campaign=campaign,
            authorisation=f"{authorisation.name}, signed by {authorisation.signed_by}",
            targets=await uow.targets.several(campaign.target_ids),
            scans=await uow.scans.all(campaign_id=campaign.id)
            if sum(coverage.values()) <= MAX_SCANS
            else tuple(await uow.scan_sets.worst_first(campaign.id, MAX_SCANS)),
            coverage=coverage,
            vulnerabilities=seen,
            seen=await uow.findings.number_seen_by(campaign.id),
            evidence=evidence,
            triage=triage
            or Triage(
                id=campaign.id,
                organisation_id=campaign.organisation_id,
                state=TriageState.FAILED,
                reason="triage did not run",
                model="",
                summary="",
                advice=(),
                created_at=self._clock.now(),
            ),
            counts=worst_first(await uow.findings.present(campaign.id)),
            made_at=self._clock.now(),
            links={name: link for name, link in links.items() if link},
        )

    async def page(self, organisation_id: UUID, query: Query) -> Page[Report]:
        """Filter `campaign_id`."""
        async with self._work(organisation_id) as uow:
            return await uow.reports.page(query)

    async def get(self, organisation_id: UUID, report_id: UUID) -> Report:
        """One report.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.reports.get(report_id)

    async def content(self, report: Report) -> bytes:
        """Its bytes.

        Raises:
            NotFoundError: the object store does not hold them.
        """
        return await self._objects.get(report.artifact)

    def location(self, report: Report) -> str:
        """Where its bytes lie, for people."""
        return self._objects.locate(report.artifact)
