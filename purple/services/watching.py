"""What a person looks at: what needs attention now, and how a campaign goes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from purple.domain.campaigns import Campaign, CampaignState, Phase, Scan
from purple.domain.events import Event
from purple.domain.pages import Query
from purple.domain.ports import Orchestrator, UnitOfWork, Work
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import PRESENT_STATES, Vulnerability

_FEW = 5
_MANY = 50
MAX_SHOWN = 200
"""Scans of one campaign that a timeline shows."""
_LAST_WORDS = {"triage.ended": Phase.TRIAGE, "report.written": Phase.REPORT, "notice.sent": Phase.NOTIFY}
_TALE = {"triage.ended": "state", "report.written": "format", "notice.sent": "state"}


@dataclass(frozen=True, slots=True)
class Gap:
    """A scan of a recent campaign that covered less than was planned."""

    campaign: Campaign
    scan: Scan


@dataclass(frozen=True, slots=True)
class Attention:
    """What needs attention now."""

    present: Mapping[str, int]
    """Present vulnerabilities by severity, worst first, every severity named."""
    worst: tuple[Vulnerability, ...]
    running: tuple[Campaign, ...]
    last: tuple[Campaign, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """One phase of one campaign."""

    phase: Phase
    state: str
    """`waiting`, `active`, `done` or `missed`."""
    entered_at: datetime | None
    words: str
    """What came of it, for a phase without scans."""
    scans: tuple[Scan, ...]

    @property
    def gaps(self) -> bool:
        """Whether a scan that is shown covered less than was planned."""
        return any(scan.gap for scan in self.scans)


@dataclass(frozen=True, slots=True)
class Timeline:
    """How a campaign goes."""

    stages: tuple[Stage, ...]
    scans: int
    """All of them; a timeline shows `MAX_SHOWN` at most, those that run or failed first."""
    ended: int
    gaps: int
    """Those that ended otherwise than complete."""
    outputs: Mapping[UUID, datetime]
    """When the tool of a running scan last wrote something."""
    progress: Mapping[str, Any] | None
    """Steps done of steps known, while a worker answers."""


class Watching:
    """Reads only."""

    def __init__(self, work: Work, orchestrator: Orchestrator) -> None:
        self._work = work
        self._orchestrator = orchestrator

    async def attention(self, organisation_id: UUID) -> Attention:
        """In one look at the database."""
        async with self._work(organisation_id) as uow:
            counts = await uow.findings.present()
            worst = await uow.findings.vulnerabilities(Query({"state": PRESENT_STATES}, "", _FEW))
            running: list[Campaign] = []
            for state in CampaignState:
                if not state.ended:
                    running += (await uow.campaigns.page(Query({"state": state}, "", _MANY, sort="-created_at"))).items
            over = [state for state in CampaignState if state.ended]
            last = (await uow.campaigns.page(Query({"state": over}, "", _FEW, sort="-ended_at"))).items
            gaps = [gap for each in last for gap in await _gaps(uow, each)]
        return Attention(
            present={str(severity): counts.get(severity, 0) for severity in reversed(Severity)},
            worst=worst.items,
            running=tuple(running),
            last=last,
            gaps=tuple(gaps[: 2 * _FEW]),
        )

    async def timeline(self, campaign: Campaign) -> Timeline:
        """Its phases and scans; what only the workflow server knows is left out where that is away."""
        async with self._work(campaign.organisation_id) as uow:
            counts = await uow.scan_sets.counts(campaign.id)
            judged = await uow.scan_sets.judged(campaign.id)
            scans = await uow.scan_sets.worst_first(campaign.id, MAX_SHOWN)
            milestones = await uow.events.milestones(campaign.id)
        running = not campaign.state.ended
        return Timeline(
            stages=tuple(_stages(campaign, scans, milestones)),
            scans=sum(counts.values()),
            ended=sum(number for state, number in counts.items() if state.ended),
            gaps=sum(number for state, number in judged.items() if state.ended and state is not ScanState.COMPLETE),
            outputs=await self._orchestrator.outputs(campaign.workflow_id) if running else {},
            progress=await self._orchestrator.progress(campaign.workflow_id) if running else None,
        )


async def _gaps(uow: UnitOfWork, campaign: Campaign) -> list[Gap]:
    if campaign.state is CampaignState.COMPLETED:
        return []
    scans = await uow.scans.page(Query({"campaign_id": campaign.id}, "", _MANY))
    return [Gap(campaign, scan) for scan in scans.items if scan.gap or not scan.state.ended]


def _stages(campaign: Campaign, scans: Iterable[Scan], milestones: Iterable[Event]) -> Iterable[Stage]:
    entered: dict[Phase, datetime] = {}
    words: dict[Phase, list[str]] = {}
    for each in milestones:
        if each.type == "campaign.phase":
            if each.data["phase"] == Phase.RECON:  # another round begins
                entered.clear()
                words.clear()
            entered[Phase(each.data["phase"])] = each.at
        elif each.type in _LAST_WORDS:
            told = str(each.data.get(_TALE[each.type], "")).replace("_", " ")
            why = each.data.get("reason")
            words.setdefault(_LAST_WORDS[each.type], []).append(f"{told}: {why}" if why else told)
    shown = sorted(scans, key=lambda scan: (scan.started_at is None, scan.started_at or scan.created_at, scan.key))
    latest = max(entered, key=list(Phase).index, default=None)
    for phase in Phase:
        mine = tuple(scan for scan in shown if scan.phase is phase)
        state = _state(campaign, phase, entered, latest)
        yield Stage(phase, state, entered.get(phase), ", ".join(words.get(phase, [])), mine)


def _state(campaign: Campaign, phase: Phase, entered: Mapping[Phase, datetime], latest: Phase | None) -> str:
    if phase not in entered:
        return "missed" if campaign.state.ended else "waiting"
    if campaign.state.ended or phase is not latest:
        return "done"
    return "active"
