"""Whose results an import's file holds: found before its scans, so that each target has one."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from purple.contracts.campaigns import CampaignRef, Surveyed
from purple.contracts.profiles import Profile
from purple.domain.campaigns import Campaign
from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError, NotFoundError, ParseError
from purple.domain.objects import ObjectStore
from purple.domain.observations import Observation
from purple.domain.placing import Places
from purple.domain.ports import Work
from purple.domain.surveys import Survey
from purple.domain.targets import Target
from purple.domain.tools import ToolCatalogue
from purple.services.batching import MAX_TARGETS
from purple.services.events import event, nth
from purple.services.targets import Targets
from purple.services.workshop import scratch_folder

_BATCH = 2_000


class Surveying:
    """May run twice: what was found the first time is told again."""

    def __init__(
        self,
        work: Work,
        tools: ToolCatalogue,
        objects: ObjectStore,
        targets: Targets,
        clock: Clock,
        ids: Ids,
        scratch: Path,
    ) -> None:
        self._work = work
        self._tools = tools
        self._objects = objects
        self._targets = targets
        self._clock = clock
        self._ids = ids
        self._scratch = scratch

    async def survey(self, ref: CampaignRef) -> Surveyed:
        """Find the targets that a campaign's file speaks of, and write down what is left out.

        Raises:
            NotFoundError: the object store does not hold the file.
            UnavailableError: a store is away; nothing is lost by running again.
        """
        async with self._work(ref.organisation_id) as uow:
            campaign = await uow.campaigns.get(ref.campaign_id)
            if "import" in campaign.summary:
                return _told(campaign)
            authorisation = await uow.authorisations.get(campaign.authorisation_id)
            named = list(await uow.targets.several(campaign.target_ids))
            register = named or [each for each in await uow.targets.all() if each.retired_at is None]
        profile = Profile.model_validate(campaign.plan)
        steps = (*profile.recon, *profile.tools)
        create = any(step.options.get("create_targets") for step in steps)
        given = named[0] if len(named) == 1 else None
        places = Places(register, given)
        survey = Survey(places, authorisation, MAX_TARGETS, given=bool(named), new=self._ids.new if create else None)
        for step in steps:
            await self._read(survey, step.tool, step.options, missing_ok=bool(named))
        found = [await self._registered(each, survey) for each in survey.found.values()]
        told = {
            "target": str(given.id) if given else "",
            "artifacts": [step.options["artifact"] for step in steps],
            "targets": len(named or found),
            "results": survey.results,
            "left_out": survey.left_out.results,
            "left_out_places": survey.left_out.listed(),
            "left_out_line": survey.left_out.line(),
            "registered": [each.value for each in survey.unregistered.values()],
        }
        ids = campaign.target_ids or tuple(dict.fromkeys(each.id for each in found))
        async with self._work(ref.organisation_id) as uow:
            campaign = await uow.campaigns.update(campaign.id, target_ids=ids, summary={"import": told})
            data = {"results": survey.results, "left_out": survey.left_out.results, "targets": told["targets"]}
            now = self._clock.now()
            await uow.events.add(
                event(
                    ref.organisation_id,
                    "import.surveyed",
                    campaign.id,
                    now,
                    campaign_id=campaign.id,
                    data=data,
                    occasion=nth(ref),
                )
            )
        return _told(campaign)

    async def _read(self, survey: Survey, tool: str, options: dict[str, Any], *, missing_ok: bool) -> None:
        """Read one file; that it breaks off is for its scans to tell."""
        async with scratch_folder(self._scratch, "survey") as work:
            try:
                await self._objects.get_file(options["artifact"], work / "artifact")
            except NotFoundError:
                if not missing_ok:
                    raise
                return
            found = self._tools.parse(tool, work / "artifact", options)
            while await asyncio.to_thread(_take, found, survey):
                pass

    async def _registered(self, target: Target, survey: Survey) -> Target:
        if target.id not in survey.unregistered:
            return target
        try:
            return await self._targets.ensure(target.organisation_id, target.value)
        except ConflictError:  # somebody registered it meanwhile
            return await self._targets.ensure(target.organisation_id, target.value)


def _take(found: Iterator[Observation], survey: Survey) -> bool:
    before = survey.results
    try:
        survey.take(itertools.islice(found, _BATCH))
    except ParseError:
        return False
    return survey.results - before == _BATCH


def _told(campaign: Campaign) -> Surveyed:
    known = campaign.summary["import"]
    return Surveyed(targets=known["targets"], results=known["results"], left_out=known["left_out_line"])
