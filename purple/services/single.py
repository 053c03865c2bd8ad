"""A scan of one target: a campaign of one, with what it needs created or found."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from purple.contracts.campaigns import CampaignInput
from purple.domain.campaigns import Campaign
from purple.domain.clock import Clock
from purple.domain.errors import InvalidInputError, OutOfScopeError
from purple.domain.ports import Work
from purple.domain.scope import Authorisation, check_address, check_contract
from purple.domain.targets import Target
from purple.domain.tools import Intrusiveness
from purple.services.campaigns import Campaigns
from purple.services.clearance import Asked, Clearance
from purple.services.targets import Targets


class SingleScan:
    """The design document's `POST /scans`: a target and a type."""

    def __init__(self, work: Work, targets: Targets, campaigns: Campaigns, clearance: Clearance, clock: Clock) -> None:
        self._work = work
        self._targets = targets
        self._campaigns = campaigns
        self._clearance = clearance
        self._clock = clock

    async def start(
        self,
        organisation_id: UUID,
        target: str,
        scan_type: str,
        *,
        authorisation_id: UUID | None = None,
        options: Mapping[str, dict[str, Any]] | None = None,
        created_by: UUID | None = None,
        key: str = "",
    ) -> Campaign:
        """Start a campaign of one.

        Raises:
            InvalidInputError: the target or the type is none.
            OutOfScopeError: no authorisation covers the target now.
        """
        registered = await self._targets.ensure(organisation_id, target)
        try:
            chosen = authorisation_id or (await self.covering(organisation_id, registered)).id
        except OutOfScopeError as refused:
            await self._clearance.refuse(refused, Asked(organisation_id=organisation_id))
            raise
        wanted = CampaignInput(
            organisation_id=organisation_id,
            name="",
            profile=scan_type,
            target_ids=(registered.id,),
            authorisation_id=chosen,
            options=dict(options or {}),
            created_by=created_by,
        )
        return await self._campaigns.start(wanted, key)

    async def only_valid(self, organisation_id: UUID) -> Authorisation:
        """The one authorisation that holds now.

        Raises:
            InvalidInputError: there is none, or a choice.
        """
        now = self._clock.now()
        async with self._work(organisation_id) as uow:
            valid = [each for each in await uow.authorisations.all() if holds(each, now)]
        if len(valid) != 1:
            raise InvalidInputError(
                f"{len(valid) or 'no'} authorisations hold now",
                field="authorisation_id",
                remedy="name the one that covers what was tested, or the target",
            )
        return valid[0]

    async def covering(self, organisation_id: UUID, *targets: Target) -> Authorisation:
        """The authorisation that covers all these targets now and allows most.

        Raises:
            OutOfScopeError: there is none.
        """
        now = self._clock.now()
        fitting = []
        async with self._work(organisation_id) as uow:
            for each in await uow.authorisations.all():
                try:
                    check_contract(each, at=now, intrusiveness=Intrusiveness.PASSIVE)
                    for target in targets:
                        check_address(each, target.address)
                except OutOfScopeError:
                    continue
                fitting.append(each)
        if not fitting:
            values = ", ".join(target.value for target in targets)
            raise OutOfScopeError(
                f"no authorisation covers {values} now",
                rule="no-authorisation",
                field="target",
                value=values,
                remedy="create an authorisation that includes it, signed by who may allow it",
            )
        return max(fitting, key=lambda each: (each.max_intrusiveness.rank, each.created_at))


def holds(authorisation: Authorisation, at: datetime) -> bool:
    """Whether a contract allows anything at all at a time."""
    try:
        check_contract(authorisation, at=at, intrusiveness=Intrusiveness.PASSIVE)
    except OutOfScopeError:
        return False
    return True
