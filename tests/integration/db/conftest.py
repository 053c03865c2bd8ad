"""Rows to work with."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from purple.db.engine import open_engine
from purple.db.migrate import upgrade
from purple.db.outbox import SqlOutbox, libpq_url
from purple.db.unit_of_work import unit_of_work
from purple.domain.campaigns import Campaign, CampaignState, Phase, Scan
from purple.domain.fingerprints import fingerprint
from purple.domain.identity import Organisation
from purple.domain.observations import (
    FlawClass,
    Location,
    Observation,
    ObservationKind,
    RecordedObservation,
    observation_id_of,
)
from purple.domain.ports import Work
from purple.domain.scope import Authorisation, parse_rule
from purple.domain.severity import Severity
from purple.domain.targets import Criticality, Target, TargetKind
from purple.domain.tools import Intrusiveness, ScanState

START = datetime(2126, 1, 1, tzinfo=UTC)
"""A relay of other tests may run on the same server: by its clock nothing of these tests is over."""


@dataclass
class Clock:
    """A day at a time."""

    day: int = 1

    def now(self) -> datetime:
        return START + timedelta(days=self.day)


@dataclass
class Tenant:
    """One organisation with a target and an authorisation, and what makes campaigns in it."""

    work: Work
    id: UUID
    target: Target
    authorisation: Authorisation
    start: datetime = START

    async def campaign(self, day: int) -> Campaign:
        """A campaign that was made on a day."""
        campaign = Campaign(
            id=uuid4(),
            organisation_id=self.id,
            workflow_id=f"campaign/{uuid4()}",
            name="test",
            profile="standard",
            profile_version=1,
            plan={},
            authorisation_id=self.authorisation.id,
            authorisation_digest=self.authorisation.digest,
            target_ids=(self.target.id,),
            state=CampaignState.RUNNING,
            created_at=self.start + timedelta(days=day),
        )
        async with self.work(self.id) as uow:
            await uow.campaigns.add(campaign)
        return campaign

    async def scan(self, campaign: Campaign, state: ScanState = ScanState.COMPLETE, **changes: object) -> Scan:
        """A scan of it that started when the campaign did."""
        scan = Scan(
            id=uuid4(),
            organisation_id=self.id,
            campaign_id=campaign.id,
            target_id=self.target.id,
            key="recon:nmap",
            phase=Phase.RECON,
            tool="nmap",
            host="192.0.2.7",
            port=0,
            url="",
            options={},
            state=state,
            created_at=campaign.created_at,
            started_at=campaign.created_at,
        )
        scan = replace(scan, **changes)
        async with self.work(self.id) as uow:
            await uow.scans.add(scan)
        return scan

    def sight(self, scan: Scan, port: int, **changes: object) -> RecordedObservation:
        """What a scan saw on a port."""
        seen = Observation(
            kind=ObservationKind.FLAW,
            rule="made:rule",
            title="Made flaw",
            location=Location(host="192.0.2.7", port=port),
            severity=Severity.MEDIUM,
            flaw_class=FlawClass.CONFIGURATION,
            weakness="tls-cipher-weak",
        )
        seen = replace(seen, **changes)
        return RecordedObservation(
            id=observation_id_of(scan.id, seen),
            organisation_id=self.id,
            campaign_id=scan.campaign_id,
            scan_id=scan.id,
            target_id=self.target.id,
            tool=scan.tool,
            fingerprint=fingerprint(self.target.id, seen),
            seen=seen,
            recorded_at=scan.created_at,
        )

    async def record(self, *rows: RecordedObservation) -> int:
        """In one unit of work."""
        async with self.work(self.id) as uow:
            return await uow.findings.record(iter(rows))


async def make_tenant(engine: AsyncEngine) -> Tenant:
    work = unit_of_work(engine)
    organisation_id = uuid4()
    target = Target(uuid4(), organisation_id, TargetKind.HOST, "192.0.2.7", "web", Criticality.HIGH, ("dmz",), START)
    authorisation = Authorisation(
        id=uuid4(),
        organisation_id=organisation_id,
        name="contract",
        signed_by="owner",
        include=(parse_rule("192.0.2.0/24"),),
        exclude=(),
        valid_from=START,
        valid_until=START + timedelta(days=3650),
        max_intrusiveness=Intrusiveness.INTRUSIVE,
        created_at=START,
    )
    async with work(organisation_id) as uow:
        await uow.organisations.add(Organisation(organisation_id, "tenant", START))
        await uow.targets.add(target)
        await uow.authorisations.add(authorisation)
    return Tenant(work, organisation_id, target, authorisation)


@pytest.fixture
async def tenant(engine: AsyncEngine) -> Tenant:
    return await make_tenant(engine)


@pytest.fixture
async def other(engine: AsyncEngine) -> Tenant:
    return await make_tenant(engine)


@dataclass
class Quiet:
    """A database of its own, in which no relay of other tests is at work."""

    database_url: str
    relay_url: str
    admin_url: str
    owner_url: str


@pytest.fixture(scope="session")
def quiet(servers) -> Iterator[Quiet]:
    name = "quiet"

    def inside(url: str) -> str:
        return make_url(url).set(database=name).render_as_string(hide_password=False)

    with psycopg.connect(libpq_url(servers.admin_url), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE {name} OWNER "{make_url(servers.owner_url).username}"')
        upgrade(inside(servers.owner_url))
        roles = (servers.database_url, servers.relay_url, servers.admin_url, servers.owner_url)
        yield Quiet(*map(inside, roles))
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def quiet_tenant(quiet) -> AsyncIterator[Tenant]:
    engine = open_engine(quiet.database_url, units=True)
    yield await make_tenant(engine)
    await engine.dispose()


@pytest.fixture
async def outbox(quiet) -> AsyncIterator[SqlOutbox]:
    """Its events have their positions when others look."""
    engine = open_engine(quiet.relay_url)
    made = SqlOutbox(engine, quiet.relay_url)
    yield made
    while await made.place(1000):
        pass
    await made.close()
    await engine.dispose()
