"""A real PostgreSQL with one organisation in it, and the product's own path from a tool's output into it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from purple.contracts.campaigns import CampaignRef, RunScan
from purple.db.engine import open_engine
from purple.db.migrate import upgrade
from purple.db.unit_of_work import unit_of_work
from purple.domain.campaigns import Campaign, CampaignState, Phase, Scan
from purple.domain.capacity import Capacity
from purple.domain.gates import GateRules
from purple.domain.identity import Organisation
from purple.domain.ports import Work
from purple.domain.scope import Authorisation, parse_rule
from purple.domain.targets import Criticality, Target, TargetKind
from purple.domain.tools import Intrusiveness, ScanState, ToolJob, ToolProgress, ToolRun
from purple.orchestrator.temporal import TemporalOrchestrator
from purple.services.analysis import Analysis
from purple.services.clearance import Clearance
from purple.services.doubting import abilities_of
from purple.services.gates import Gates
from purple.services.scanning import Scanning
from purple.services.workshop import Workshop
from purple.settings.app import TemporalSettings
from purple.stack.servers import Servers
from purple.toolkit.objects import Objects
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs
from purple.toolkit.world import SystemClock, SystemResolver, TcpProber, TimeOrderedIds

HOST = "192.0.2.7"


class Written:
    """A runner of tools for which the tool has run already: its output is there."""

    def __init__(self) -> None:
        self.output = Path()

    async def run(self, job: ToolJob, progress: Callable[[ToolProgress], None]) -> ToolRun:  # noqa: ARG002 - the port's signature
        """Hand over the output."""
        return ToolRun(ScanState.COMPLETE, "", self.output, 0, "made", "", None, ())


@dataclass
class Tenant:
    """One organisation, one target, and services over them."""

    work: Work
    target: Target
    authorisation: Authorisation
    runner: Written
    scanning: Scanning
    analysis: Analysis
    objects: Objects

    async def scan(self, tool: str, options: dict[str, Any] | None = None) -> Scan:
        """A new campaign with one scan to do."""
        now = SystemClock().now()
        organisation = self.target.organisation_id
        campaign = Campaign(
            id=uuid4(),
            organisation_id=organisation,
            workflow_id=f"campaign/{uuid4()}",
            name="bench",
            profile="standard",
            profile_version=1,
            plan={},
            authorisation_id=self.authorisation.id,
            authorisation_digest=self.authorisation.digest,
            target_ids=(self.target.id,),
            state=CampaignState.RUNNING,
            created_at=now,
        )
        scan = Scan(
            id=uuid4(),
            organisation_id=organisation,
            campaign_id=campaign.id,
            target_id=self.target.id,
            key=f"recon:{tool}",
            phase=Phase.RECON,
            tool=tool,
            host=HOST,
            port=0,
            url="",
            options=options or {},
            state=ScanState.PENDING,
            created_at=now,
        )
        async with self.work(organisation) as uow:
            await uow.campaigns.add(campaign)
            await uow.scans.add(scan)
        return scan

    async def record(self, scan: Scan, output: Path, expected: int) -> None:
        """From a file to committed rows, as a worker does it."""
        self.runner.output = output
        request = RunScan(ref=self.ref(scan), scan_id=scan.id, attempt=1)
        outcome = await self.scanning.run(request, lambda _: None)
        if (outcome.state, outcome.observations) != (ScanState.COMPLETE, expected):
            raise RuntimeError(f"the scan ended {outcome.state} with {outcome.observations}: {outcome.reason}")

    @staticmethod
    def ref(scan: Scan) -> CampaignRef:
        """Its campaign."""
        return CampaignRef(organisation_id=scan.organisation_id, campaign_id=scan.campaign_id)


@asynccontextmanager
async def tenant(servers: Servers, folder: Path) -> AsyncIterator[Tenant]:
    """An organisation of its own in the servers' database, brought to the present schema."""
    await asyncio.to_thread(upgrade, servers.owner_url)
    engine = open_engine(servers.database_url, units=True)
    clock, work, runner = SystemClock(), unit_of_work(engine), Written()
    organisation, now = uuid4(), clock.now()
    target = Target(uuid4(), organisation, TargetKind.HOST, HOST, "web", Criticality.HIGH, (), now)
    authorisation = _authorisation(organisation)
    objects = Objects((folder / "objects").as_uri())
    async with work(organisation) as uow:
        await uow.organisations.add(Organisation(organisation, "bench", now))
        await uow.targets.add(target)
        await uow.authorisations.add(authorisation)
    tools = Catalogue(Programs(folder / "tools", folder / "cache"), ())
    clearance = Clearance(work, tools, SystemResolver(), clock, TimeOrderedIds())
    gates = Gates(
        work, runner, TemporalOrchestrator(TemporalSettings()), TcpProber(), clock, TimeOrderedIds(), GateRules()
    )
    workshop = Workshop(folder / "scratch", Capacity(cpus=1, memory_mb=1024))
    scanning = Scanning(work, clearance, tools, gates, objects, clock, workshop)
    try:
        analysis = Analysis(work, clock, abilities_of(tools))
        yield Tenant(work, target, authorisation, runner, scanning, analysis, objects)
    finally:
        await engine.dispose()


def _authorisation(organisation: UUID) -> Authorisation:
    now = SystemClock().now()
    return Authorisation(
        id=uuid4(),
        organisation_id=organisation,
        name="bench",
        signed_by="bench",
        include=(parse_rule(HOST),),
        exclude=(),
        valid_from=now - timedelta(minutes=1),
        valid_until=now + timedelta(days=1),
        max_intrusiveness=Intrusiveness.INTRUSIVE,
        created_at=now,
    )
