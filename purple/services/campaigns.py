"""Campaigns: asked for, begun, planned, cancelled, finished."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from purple.contracts.batches import BatchRef, BatchSteps
from purple.contracts.campaigns import (
    ENGINE,
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
from purple.domain.campaigns import Campaign, CampaignState, Phase, Scan, campaign_id_of
from purple.domain.clock import Clock, Ids
from purple.domain.errors import OutOfScopeError, UnavailableError
from purple.domain.idempotency import check_key, check_repeated
from purple.domain.pages import Page, Query
from purple.domain.ports import Orchestrator, UnitOfWork, Work
from purple.domain.scan_sets import BATCH
from purple.domain.scope import Authorisation
from purple.domain.tools import ScanState, ToolCatalogue
from purple.services import planning
from purple.services.batching import check_number, due, limit_of, settle, skip_refused, steps_of, targets_of, unskipped
from purple.services.clearance import Asked, Clearance, asked_by
from purple.services.events import enter, event, phase_event
from purple.services.finishing import end_unbegun, write_down
from purple.services.profiles import Profiles
from purple.services.retrying import Retrying
from purple.services.steering import by_reference, input_of
from purple.services.valuing import valued


class Campaigns:
    """The campaign's own row, from its request to its end."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that a campaign needs from its request to its end
        self,
        work: Work,
        orchestrator: Orchestrator,
        clearance: Clearance,
        tools: ToolCatalogue,
        profiles: Profiles,
        retrying: Retrying,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._work = work
        self._orchestrator = orchestrator
        self._clearance = clearance
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
        check_key(key)
        workflow_id = f"campaign/{self._ids.new()}"
        try:
            campaign, known = await self._written(wanted, workflow_id, key, digest)
        except OutOfScopeError as refused:
            asked = Asked(organisation_id=wanted.organisation_id, authorisation_id=wanted.authorisation_id)
            await self._clearance.refuse(refused, asked)
            raise
        if known:
            return campaign
        try:
            await self._orchestrator.start(workflow_id, by_reference(wanted), summary=campaign.name)
        except UnavailableError:
            return campaign
        return campaign

    async def _written(self, wanted: CampaignInput, workflow_id: str, key: str, digest: str) -> tuple[Campaign, bool]:
        """The campaign's row, and whether it was there already."""
        async with self._work(wanted.organisation_id) as uow:
            known = await uow.idempotency.find(key) if key else None
            if known is not None:
                return await _repeated(uow, known, digest), True
            campaign, authorisation = await self._draft(uow, workflow_id, wanted)
            await self._clearance.check_campaign(uow, campaign, authorisation)
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
            return campaign, False

    async def check(self, wanted: CampaignInput) -> None:
        """Refuse what `start` would refuse, and start nothing.

        Raises:
            InvalidInputError: an unknown profile or tool, an option outside its schema, no targets.
            NotFoundError: a target or the authorisation is not there.
            OutOfScopeError: the authorisation does not cover it.
        """
        async with self._work(wanted.organisation_id) as uow:
            campaign, authorisation = await self._draft(uow, "campaign/checked", wanted)
            await self._clearance.check_campaign(uow, campaign, authorisation)

    async def restart_lost(self, campaign: Campaign) -> None:
        """Start the workflow of a campaign that is still pending; nothing happens where it runs.

        One that ended before it began is not started again: the campaign has failed, and says why.

        Raises:
            UnavailableError: the server is away.
        """
        wanted = input_of(campaign)
        if await self._orchestrator.start(campaign.workflow_id, wanted, summary=campaign.name):
            return
        why = await self._orchestrator.failure(campaign.workflow_id) or "nobody knows why"
        reason = f"its workflow ended before it began: {why}"
        async with self._work(campaign.organisation_id) as uow:
            await end_unbegun(uow, campaign, CampaignState.FAILED, reason, self._clock.now())

    async def stop_revoked(self, campaign: Campaign) -> None:
        """Tell the workflow of a campaign that its authorisation was revoked.

        Raises:
            UnavailableError: the server is away.
        """
        await self._orchestrator.revoke(campaign.workflow_id)

    async def begin(self, request: BeginRequest) -> Begun:
        """The workflow's first step: the row is there, the contract holds, recon is planned."""
        wanted = request.campaign
        now = self._clock.now()
        async with self._work(wanted.organisation_id) as uow:
            campaign = await self._row(uow, request)
            if campaign.state.ended and not wanted.retry_token:
                return _over(campaign)
            again = 0
            if campaign.state.ended or (campaign.round > 1 and campaign.run_id == request.run_id):
                campaign, again = await self._retrying.reopen(uow, campaign, request)
            authorisation = await uow.authorisations.get(campaign.authorisation_id)
            profile = Profile.model_validate(campaign.plan)
            ref = CampaignRef(organisation_id=campaign.organisation_id, campaign_id=campaign.id, round=campaign.round)
            begun = Begun(
                ref=ref,
                name=campaign.name,
                profile=profile.name,
                parallel=limit_of(campaign),
                retries=profile.limits.retries,
                again=again,
                survey=planning.imports(profile, self._tools),
                changes=any(self._tools.spec(tool).changes for tool in planning.tools_of(profile)),
                engine=ENGINE,
            )
            try:
                await self._clearance.check_campaign(uow, campaign, authorisation)
            except OutOfScopeError as refused:
                await self._clearance.note(uow, refused, asked_by(campaign, request.run_id))
                return begun.model_copy(update={"refused": f"{refused.detail} (rule {refused.rule})"})
            async for targets in targets_of(uow, campaign):
                scans = planning.recon_scans(campaign, profile, targets, self._tools, now)
                await uow.scan_sets.add(await valued(uow, campaign, profile, targets, scans, now))
            await skip_refused(uow, campaign, now)
            await uow.scan_sets.number(campaign.id)
            if campaign.started_at is None:
                await uow.campaigns.update(
                    campaign.id,
                    state=CampaignState.RUNNING,
                    phase=Phase.RECON,
                    started_at=now,
                    run_id=request.run_id,
                )
            await uow.events.add(phase_event(ref, Phase.RECON, now))
            recon = await due(uow, self._tools, campaign, Phase.RECON, now)
            return begun.model_copy(
                update={
                    "recon": recon.scans,
                    "batches": recon.batches,
                    "held": recon.held,
                    "windows": tuple(map(str, authorisation.windows)),
                    "until": authorisation.valid_until,
                }
            )

    async def _row(self, uow: UnitOfWork, request: BeginRequest) -> Campaign:
        """The campaign as it is when whoever ends it before it began has done so."""
        campaign = await uow.campaigns.find(campaign_id_of(request.workflow_id), lock=True)
        if campaign is None:  # a schedule started it
            campaign, _ = await self._draft(uow, request.workflow_id, request.campaign)
            await uow.campaigns.upsert(campaign)
        return campaign

    async def plan(self, ref: CampaignRef) -> Plan:
        """What recon's findings ask for."""
        now = self._clock.now()
        async with self._work(ref.organisation_id) as uow:
            # orders that come meanwhile see what is planned
            campaign = await uow.campaigns.get(ref.campaign_id, lock=True)
            profile = Profile.model_validate(campaign.plan)
            async for targets in targets_of(uow, campaign):
                services = await uow.findings.services(campaign.id, [target.id for target in targets])
                scans = planning.tool_scans(campaign, profile, targets, services, self._tools, now)
                await uow.scan_sets.add(await valued(uow, campaign, profile, targets, scans, now))
            await skip_refused(uow, campaign, now)
            await uow.scan_sets.number(campaign.id)
            await enter(uow, ref, Phase.TOOLS, now)
            return await due(uow, self._tools, campaign, Phase.TOOLS, now)

    async def next_scans(self, batch: BatchRef) -> BatchSteps:
        """The next scans of a batch that have not ended, and that people have not skipped."""
        async with self._work(batch.ref.organisation_id) as uow:
            campaign = await uow.scan_sets.campaign(batch.ref.campaign_id)
            while found := await uow.scan_sets.due(campaign.id, batch.phase, batch.number, BATCH):
                if left := await unskipped(uow, campaign, found, self._clock.now()):
                    steps = await steps_of(uow, self._tools, campaign, left)
                    return BatchSteps(scans=steps, parallel=limit_of(campaign))
            return BatchSteps()

    async def settle(self, request: SettleScan) -> None:
        """Write down how a scan ended that no worker could bring to its end; or that it waits again."""
        now = self._clock.now()
        async with self._work(request.ref.organisation_id) as uow:
            # a skip that comes meanwhile waits for us, and then finds the scan in line again
            campaign = await uow.scan_sets.campaign(request.ref.campaign_id, lock=not request.state.ended)
            scan = await uow.scans.get(request.scan_id)
            if scan.state.ended:
                return
            state, reason = request.state, request.reason
            if state is ScanState.CANCELLED:
                reason = await self._clearance.withdrawn(uow, campaign, scan) or reason
            elif not state.ended and (why := campaign.orders.refusal(scan.tool, scan.id)):
                state, reason = ScanState.SKIPPED, why
            await settle(uow, scan, state, reason, now)

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
            word, reason = await self._last_word(uow, campaign, request)
            return await write_down(uow, campaign, request.model_copy(update={"state": word, "reason": reason}), now)

    async def _last_word(
        self, uow: UnitOfWork, campaign: Campaign, request: Finish
    ) -> tuple[CampaignState | None, str]:
        """How it ends. One that was told of a revocation asks the contract: anybody may have told it."""
        if request.state is not CampaignState.NOT_ALLOWED or request.reason:
            return request.state, request.reason
        if why := await self._clearance.withdrawn(uow, campaign):
            return CampaignState.NOT_ALLOWED, why
        return CampaignState.CANCELLED, "told that its authorisation was revoked, which it is not"

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

    async def _draft(self, uow: UnitOfWork, workflow_id: str, wanted: CampaignInput) -> tuple[Campaign, Authorisation]:
        profile = self._profiles.load(wanted.profile)
        ids = tuple(dict.fromkeys(wanted.target_ids))
        if wanted.targets_of and not ids:
            ids = (await uow.campaigns.get(wanted.targets_of)).target_ids
        check_number(len(ids), fewest=0 if planning.imports(profile, self._tools) else 1)
        first = await uow.targets.several(ids[:1])
        authorisation = await uow.authorisations.get(wanted.authorisation_id)
        campaign = Campaign(
            id=campaign_id_of(workflow_id),
            organisation_id=wanted.organisation_id,
            workflow_id=workflow_id,
            name=wanted.name.strip() or (f"{profile.name} on {first[0].name}" if first else profile.name),
            profile=profile.name,
            profile_version=profile.version,
            plan=planning.plan_of(profile, wanted.options, self._tools),
            authorisation_id=authorisation.id,
            authorisation_digest=authorisation.digest,
            target_ids=ids,
            state=CampaignState.PENDING,
            created_at=self._clock.now(),
            created_by=wanted.created_by,
        )
        async for targets in targets_of(uow, campaign):
            planning.check_targets(targets, profile, self._tools)
        return campaign, authorisation


def _over(campaign: Campaign) -> Begun:
    """One that was ended before it began does not begin."""
    ref = CampaignRef(organisation_id=campaign.organisation_id, campaign_id=campaign.id, round=campaign.round)
    reason = campaign.reason or f"it has ended: {campaign.state}"
    return Begun(ref=ref, name=campaign.name, profile=campaign.profile, refused=reason)


async def _repeated(uow: UnitOfWork, known: tuple[str, UUID], digest: str) -> Campaign:
    before, campaign_id = known
    check_repeated(before, digest)
    return await uow.campaigns.get(campaign_id)
