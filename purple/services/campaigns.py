"""Campaigns: asked for, begun, planned, cancelled, finished."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from purple.contracts.campaigns import (
    BeginRequest,
    Begun,
    CampaignInput,
    CampaignRef,
    Finish,
    Finished,
    Plan,
    SettleScan,
)
from purple.contracts.profiles import Profile
from purple.domain.campaigns import Campaign, CampaignState, Phase, Scan, campaign_id_of, end_state
from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError, InvalidInputError, OutOfScopeError, UnavailableError
from purple.domain.pages import Page, Query
from purple.domain.ports import Orchestrator, UnitOfWork, Work
from purple.domain.scope import Authorisation, check_address, check_contract
from purple.domain.targets import Target
from purple.domain.tools import ScanState, ToolCatalogue
from purple.services import cleanup, planning
from purple.services.events import enter, event, nth, phase_event, scan_event
from purple.services.profiles import Profiles
from purple.services.retrying import Retrying
from purple.services.steering import input_of
from purple.services.summaries import summarise
from purple.services.valuing import valued

MAX_TARGETS = 1_000
MAX_KEY = 255


class Campaigns:
    """The campaign's own row, from its request to its end."""

    def __init__(
        self,
        work: Work,
        orchestrator: Orchestrator,
        tools: ToolCatalogue,
        profiles: Profiles,
        retrying: Retrying,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._work = work
        self._orchestrator = orchestrator
        self._tools = tools
        self._profiles = profiles
        self._retrying = retrying
        self._clock = clock
        self._ids = ids

    async def start(self, wanted: CampaignInput, key: str = "") -> Campaign:
        """Check, write down and start; a second call with the same key gives the first one's campaign.

        The workflow is started after commit. Where the server is away the campaign stays pending, and the relay
        starts it later under the same id.

        Raises:
            InvalidInputError: an unknown profile or tool, an option outside its schema, no targets.
            NotFoundError: a target or the authorisation is not there.
            OutOfScopeError: the authorisation does not cover it.
            ConflictError: the key was used for another request.
        """
        digest = hashlib.sha256(wanted.model_dump_json().encode()).hexdigest()
        if len(key) > MAX_KEY:
            raise InvalidInputError(
                f"the key has more than {MAX_KEY} characters", field="Idempotency-Key", remedy="use a UUID"
            )
        workflow_id = f"campaign/{self._ids.new()}"
        async with self._work(wanted.organisation_id) as uow:
            known = await uow.idempotency.find(key) if key else None
            if known is not None:
                return await _repeated(uow, known, digest)
            campaign, authorisation, targets = await self._draft(uow, workflow_id, wanted)
            self._check(campaign, authorisation, targets)
            await uow.campaigns.add(campaign)
            await uow.events.add(
                event(
                    campaign.organisation_id,
                    "campaign.created",
                    campaign.id,
                    campaign.created_at,
                    campaign_id=campaign.id,
                    data={"name": campaign.name, "profile": campaign.profile},
                )
            )
            if key:
                await uow.idempotency.add(key, digest, campaign.id)
        try:
            await self._orchestrator.start(workflow_id, wanted, summary=campaign.name)
        except UnavailableError:
            return campaign
        return campaign

    async def restart_lost(self, campaign: Campaign) -> None:
        """Start the workflow of a campaign that is still pending; nothing happens where it runs.

        Raises:
            UnavailableError: the server is away.
        """
        wanted = input_of(campaign)
        await self._orchestrator.start(campaign.workflow_id, wanted, summary=campaign.name)

    async def begin(self, request: BeginRequest) -> Begun:
        """The workflow's first step: the row is there, the contract holds, recon is planned."""
        wanted = request.campaign
        now = self._clock.now()
        async with self._work(wanted.organisation_id) as uow:
            campaign = await uow.campaigns.find(campaign_id_of(request.workflow_id))
            if campaign is None:  # a schedule started it
                campaign, _, _ = await self._draft(uow, request.workflow_id, wanted)
                await uow.campaigns.upsert(campaign)
            again = 0
            if campaign.state.ended or (campaign.round > 1 and campaign.run_id == request.run_id):
                campaign, again = await self._retrying.reopen(uow, campaign, request)
            authorisation = await uow.authorisations.get(campaign.authorisation_id)
            targets = [await uow.targets.get(target_id) for target_id in campaign.target_ids]
            profile = Profile.model_validate(campaign.plan)
            ref = CampaignRef(organisation_id=campaign.organisation_id, campaign_id=campaign.id, round=campaign.round)
            begun = Begun(
                ref=ref,
                name=campaign.name,
                profile=profile.name,
                parallel=profile.limits.parallel,
                retries=profile.limits.retries,
                again=again,
                changes=any(self._tools.spec(step.tool).changes for step in (*profile.recon, *profile.tools)),
            )
            try:
                self._check(campaign, authorisation, targets)
            except OutOfScopeError as refused:
                return begun.model_copy(update={"refused": f"{refused.detail} (rule {refused.rule})"})
            scans = planning.recon_scans(campaign, profile, targets, self._tools, now)
            for scan in await valued(uow, campaign, profile, targets, scans, now):
                await uow.scans.upsert(scan)
            if campaign.started_at is None:
                await uow.campaigns.update(
                    campaign.id,
                    state=CampaignState.RUNNING,
                    phase=Phase.RECON,
                    started_at=now,
                    run_id=request.run_id,
                )
            await uow.events.add(phase_event(ref, Phase.RECON, now))
            stored = await uow.scans.all(campaign_id=campaign.id, phase=Phase.RECON)
            return begun.model_copy(update={"recon": planning.steps_of(stored, self._tools)})

    async def plan(self, ref: CampaignRef) -> Plan:
        """What recon's findings ask for."""
        now = self._clock.now()
        async with self._work(ref.organisation_id) as uow:
            campaign = await uow.campaigns.get(ref.campaign_id)
            targets = [await uow.targets.get(target_id) for target_id in campaign.target_ids]
            services = await uow.findings.services(campaign.id)
            profile = Profile.model_validate(campaign.plan)
            planned = planning.tool_scans(campaign, profile, targets, services, self._tools, now)
            for scan in await valued(uow, campaign, profile, targets, planned, now):
                await uow.scans.upsert(scan)
            await enter(uow, ref, Phase.TOOLS, now)
            stored = await uow.scans.all(campaign_id=campaign.id, phase=Phase.TOOLS)
            return Plan(scans=planning.steps_of(stored, self._tools))

    async def settle(self, request: SettleScan) -> None:
        """Write down how a scan ended that no worker could bring to its end."""
        now = self._clock.now()
        async with self._work(request.ref.organisation_id) as uow:
            scan = await uow.scans.get(request.scan_id)
            if scan.state.ended:
                return
            await uow.scans.update(scan.id, state=request.state, reason=request.reason, ended_at=now)
            await uow.events.add(scan_event(replace(scan, state=request.state), now, request.reason))

    async def finish(self, request: Finish) -> Finished:
        """The workflow's last step: every scan has ended, the summary is written."""
        now = self._clock.now()
        ref = request.ref
        async with self._work(ref.organisation_id) as uow:
            campaign = await uow.campaigns.get(ref.campaign_id)
            if campaign.state.ended:
                return Finished(
                    campaign_id=campaign.id,
                    state=campaign.state,
                    reason=campaign.reason,
                    worst=campaign.summary.get("worst", ""),
                )
            left = "the campaign ended before it ran" + (f": {request.reason}" if request.reason else "")
            scans = []
            for scan in await uow.scans.all(campaign_id=campaign.id):
                ended = await _end_left_over(uow, scan, request.state, left, now) if not scan.state.ended else scan
                scans.append(ended)
            state = request.state or end_state([_judged(scan) for scan in scans])
            ending = await cleanup.settle(uow, campaign, state, request.reason, now)
            summary = await summarise(uow, campaign, scans) | {"notes": request.notes} | ending.summary
            await uow.campaigns.update(
                campaign.id,
                state=ending.state,
                reason=ending.reason,
                phase=None,
                ended_at=now,
                summary=summary,
                round=ref.round,
            )
            await uow.events.add(
                event(
                    campaign.organisation_id,
                    "campaign.ended",
                    campaign.id,
                    now,
                    campaign_id=campaign.id,
                    data={"state": ending.state, "reason": ending.reason, "counts": summary["counts"]},
                    occasion=nth(ref),
                )
            )
            return Finished(campaign_id=campaign.id, state=ending.state, reason=ending.reason, worst=summary["worst"])

    async def get(self, organisation_id: UUID, campaign_id: UUID) -> Campaign:
        """One campaign.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.campaigns.get(campaign_id)

    async def progress(self, campaign: Campaign) -> Mapping[str, Any] | None:
        """Steps done of steps known, while it runs and a worker answers."""
        return await self._orchestrator.progress(campaign.workflow_id) if not campaign.state.ended else None

    def link(self, campaign: Campaign) -> str:
        """The campaign in the Temporal UI, or empty."""
        return self._orchestrator.link(campaign.workflow_id)

    async def page(self, organisation_id: UUID, query: Query) -> Page[Campaign]:
        """By default newest first."""
        async with self._work(organisation_id) as uow:
            return await uow.campaigns.page(query)

    async def scans(self, organisation_id: UUID, query: Query) -> Page[Scan]:
        """By default newest first."""
        async with self._work(organisation_id) as uow:
            return await uow.scans.page(query)

    async def scan(self, organisation_id: UUID, scan_id: UUID) -> Scan:
        """One scan.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.scans.get(scan_id)

    async def _draft(
        self, uow: UnitOfWork, workflow_id: str, wanted: CampaignInput
    ) -> tuple[Campaign, Authorisation, list[Target]]:
        profile = self._profiles.load(wanted.profile)
        if not 1 <= len(set(wanted.target_ids)) <= MAX_TARGETS:
            raise InvalidInputError(
                f"a campaign has 1 to {MAX_TARGETS} targets",
                field="target_ids",
                value=len(wanted.target_ids),
                remedy="name targets of the register",
            )
        targets = [await uow.targets.get(target_id) for target_id in wanted.target_ids]
        planning.check_targets(targets, profile, self._tools)
        authorisation = await uow.authorisations.get(wanted.authorisation_id)
        campaign = Campaign(
            id=campaign_id_of(workflow_id),
            organisation_id=wanted.organisation_id,
            workflow_id=workflow_id,
            name=wanted.name.strip() or f"{profile.name} on {targets[0].name}",
            profile=profile.name,
            profile_version=profile.version,
            plan=planning.plan_of(profile, wanted.options, self._tools),
            authorisation_id=authorisation.id,
            authorisation_digest=authorisation.digest,
            target_ids=tuple(dict.fromkeys(wanted.target_ids)),
            state=CampaignState.PENDING,
            created_at=self._clock.now(),
            created_by=wanted.created_by,
        )
        return campaign, authorisation, targets

    def _check(self, campaign: Campaign, authorisation: Authorisation, targets: list[Target]) -> None:
        """The contract holds now, allows the hardest tool of the profile, and covers each target as it is written."""
        profile = Profile.model_validate(campaign.plan)
        hardest = max(
            (self._tools.spec(step.tool).intrusiveness for step in (*profile.recon, *profile.tools)),
            key=lambda each: each.rank,
        )
        check_contract(authorisation, at=self._clock.now(), intrusiveness=hardest)
        for target in targets:
            check_address(authorisation, target.address)


def _judged(scan: Scan) -> ScanState:
    """What a recent scan covers is as good as looked at."""
    return ScanState.COMPLETE if scan.covered_by else scan.state


async def _end_left_over(uow: UnitOfWork, scan: Scan, state: CampaignState | None, reason: str, now: datetime) -> Scan:
    wanted = ScanState.CANCELLED if state is CampaignState.CANCELLED else ScanState.SKIPPED
    ended = await uow.scans.update(scan.id, state=wanted, reason=reason, ended_at=now)
    await uow.events.add(scan_event(ended, now, reason))
    return ended


async def _repeated(uow: UnitOfWork, known: tuple[str, UUID], digest: str) -> Campaign:
    before, campaign_id = known
    if before != digest:
        raise ConflictError(
            "this Idempotency-Key came with another request before",
            field="Idempotency-Key",
            remedy="use a new key for a new request",
        )
    return await uow.campaigns.get(campaign_id)
