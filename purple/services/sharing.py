"""One file, many targets: the first scan of an import that runs reads it for all of them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from purple.domain.campaigns import Scan
from purple.domain.imports import given_target
from purple.domain.observations import Observation, RecordedObservation
from purple.domain.placing import Places
from purple.domain.ports import UnitOfWork
from purple.domain.targets import TargetKind
from purple.services.events import scan_event

Record = Callable[[Observation], RecordedObservation | None]


class Shares:
    """The scans of one file in a campaign that have not ended, by whose results each takes.

    They become visible in one transaction. Each is dispatched as any scan is, finds that it has ended, and is told
    again.
    """

    def __init__(self, scan: Scan, scans: dict[UUID, Scan], kinds: dict[UUID, TargetKind], places: Places) -> None:
        self._scan = scan
        self._scans = scans
        self._kinds = kinds
        self._places = places

    @classmethod
    async def of(cls, uow: UnitOfWork, scan: Scan) -> "Shares":
        """Those that read what this one reads, itself among them."""
        campaign = await uow.campaigns.get(scan.campaign_id)
        targets = await uow.targets.several(campaign.target_ids)
        known = given_target(campaign.summary, scan.target_id)
        given = next((target for target in targets if target.id == known), None)
        same = [
            each
            for each in await uow.scans.all(campaign_id=campaign.id, tool=scan.tool)
            if each.id == scan.id or (not each.state.ended and each.options == scan.options)
        ]
        kinds = {each.id: each.kind for each in targets}
        return cls(scan, {each.target_id: each for each in same}, kinds, Places(targets, given))

    def recorder(self, make: Callable[[Scan, TargetKind], Callable[[Observation], RecordedObservation]]) -> Record:
        """What makes each result a row of the scan of its target; None where none of them may have it."""
        made = {target_id: make(scan, self._kinds[target_id]) for target_id, scan in self._scans.items()}

        def record(seen: Observation) -> RecordedObservation | None:
            target = self._places.find(seen)
            mine = made.get(target.id) if target else None
            return mine(seen) if mine else None

        return record

    async def settle(self, uow: UnitOfWork, ended: Scan) -> None:
        """The others end as the one did that read for them."""
        shared: dict[str, Any] = {
            "state": ended.state,
            "reason": ended.reason,
            "started_at": ended.started_at,
            "ended_at": ended.ended_at,
            "output_artifact": ended.output_artifact,
        }
        for each in self._scans.values():
            if each.id != self._scan.id and ended.ended_at is not None:
                count = await uow.findings.count(each.id)
                done = await uow.scans.update(each.id, **shared, attempt=each.attempt + 1, observations=count)
                await uow.events.add(scan_event(done, ended.ended_at, done.reason))
