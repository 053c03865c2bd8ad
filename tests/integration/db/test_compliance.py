"""Compliance on a real PostgreSQL: which scan shows what, and what nobody looked into."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from purple.contracts.campaigns import CampaignRef
from purple.domain.campaigns import Campaign, CampaignState, Phase
from purple.domain.compliance import ComplianceDay, Evidence, Status
from purple.domain.errors import InvalidInputError, NotFoundError
from purple.domain.identity import Actor
from purple.domain.life import Wanted
from purple.domain.observations import FlawClass
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import VulnerabilityState
from purple.services.analysis import Analysis
from purple.services.compliance import ComplianceReader
from purple.services.compliance.frameworks import Frameworks
from purple.services.keeping import Keeping
from purple.services.life import Life
from purple.services.targets import Targets
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import START, Clock, Tenant

OWN = """
name: own
title: Own rules
version: "1"
source: https://rules.example.org/
limits: nothing
controls:
  - {id: tls, title: Encrypted, looked: [tls], within_days: 30, findings: "weakness:~tls- severity:>=medium"}
  - {id: ssh, title: Administered, looked: [ssh], within_days: 30, targets: "kind:host"}
  - {id: code, title: Written, looked: [code], targets: "kind:repository"}
"""


class House:
    """A tenant whose target must comply with rules of its own, by a clock that is told the day."""

    def __init__(self, tenant: Tenant, frameworks: Frameworks) -> None:
        self.tenant = tenant
        self.clock = Clock(10)
        self.reader = ComplianceReader(tenant.work, frameworks, Catalogue(None), self.clock)
        self.targets = Targets(tenant.work, frameworks, self.clock, TimeOrderedIds())
        self.life = Life(tenant.work, self.clock, TimeOrderedIds())

    async def campaign(self, state: CampaignState = CampaignState.COMPLETED, when: str = "tls") -> Campaign:
        """One of today whose profile runs sslyze where recon finds something for it."""
        campaign = await self.tenant.campaign(self.clock.day)
        plan = {"recon": [{"tool": "nmap", "when": "always"}], "tools": [{"tool": "sslyze", "when": when}]}
        async with self.tenant.work(self.tenant.id) as uow:
            return await uow.campaigns.update(campaign.id, plan=plan, state=state, ended_at=self.clock.now())

    async def scan(self, campaign: Campaign, tool: str = "sslyze", state: ScanState = ScanState.COMPLETE, **told):
        key = f"tools:{tool}:{uuid4()}"
        known = {"tool": tool, "key": key, "phase": Phase.TOOLS, "ended_at": self.clock.now()} | told
        return await self.tenant.scan(campaign, state, **known)

    async def evidence(self, control: str = "tls") -> Evidence:
        (found,) = (await self.reader.control(self.tenant.id, "own", control)).evidence
        return found

    async def status(self, control: str = "tls") -> Status:
        return (await self.evidence(control)).status


async def make_house(tenant: Tenant, tmp_path: Path) -> House:
    (tmp_path / "own.yaml").write_text(OWN)
    made = House(tenant, Frameworks([tmp_path]))
    await made.targets.edit(tenant.id, tenant.target.id, 1, frameworks=["own"])
    return made


@pytest.fixture
async def house(tenant, tmp_path) -> House:
    return await make_house(tenant, tmp_path)


async def test_what_nobody_looked_into_is_not_tested_and_other_kinds_are_not_asked(house) -> None:
    found = await house.reader.standing(house.tenant.id, "own")
    assert [(each.id, each.status) for each in found.controls] == [
        ("tls", Status.NOT_TESTED), ("ssh", Status.NOT_TESTED), ("code", Status.NOT_APPLICABLE),
    ]  # fmt: skip
    assert (found.targets, found.counts[Status.NOT_TESTED], found.counts[Status.MET]) == (1, 2, 0)


async def test_a_complete_scan_shows_it_until_it_is_too_old(house) -> None:
    scan = await house.scan(await house.campaign())
    found = await house.evidence()
    assert found.status is Status.MET
    assert [(look.tool, look.scan_id, look.campaign_id) for look in found.looks] == [
        ("sslyze", scan.id, scan.campaign_id)
    ]
    house.clock.day += 30
    assert await house.status() is Status.MET
    house.clock.day += 1
    assert await house.status() is Status.NOT_TESTED


async def test_a_crashed_scan_shows_nothing_and_spoils_no_earlier_one(house) -> None:
    crashed = await house.scan(await house.campaign(), state=ScanState.FAILED, reason="exit code 1")
    found = await house.evidence()
    assert (found.status, found.looks[0].scan_id) == (Status.NOT_TESTED, crashed.id)
    assert "exit code 1" in found.gaps[0]
    await house.scan(await house.campaign(), tool="sslscan")
    assert await house.status() is Status.MET


async def test_of_several_services_each_must_have_been_looked_into(house) -> None:
    for state, ended_at in ((ScanState.TIMED_OUT, house.clock.now()), (ScanState.PENDING, None)):
        campaign = await house.campaign()
        await house.scan(campaign, port=443)
        await house.scan(campaign, port=8443, state=state, ended_at=ended_at)
        assert await house.status() is Status.NOT_TESTED


async def test_a_scan_that_a_recent_one_covers_is_as_old_as_that_one(house) -> None:
    first = await house.scan(await house.campaign())
    house.clock.day += 20
    await house.scan(await house.campaign(), state=ScanState.SKIPPED, covered_by=first.id)
    assert await house.status() is Status.MET
    house.clock.day += 20
    assert await house.status() is Status.NOT_TESTED


async def test_where_recon_found_nothing_for_a_tool_there_was_nothing_to_look_at(house) -> None:
    await house.scan(await house.campaign(), "nmap", phase=Phase.RECON)
    found = await house.evidence()
    assert (found.status, found.looks[0].nothing, found.looks[0].tool) == (Status.MET, True, "sslyze")
    assert await house.status("ssh") is Status.NOT_TESTED  # the profile would not have run it


@pytest.mark.parametrize("state", [CampaignState.COMPLETED_WITH_GAPS, CampaignState.CANCELLED, CampaignState.RUNNING])
async def test_a_campaign_with_gaps_proves_no_absence(house, state) -> None:
    await house.scan(await house.campaign(state), "nmap", phase=Phase.RECON)
    assert await house.status() is Status.NOT_TESTED


async def test_recon_that_crashed_and_a_tool_that_always_runs_prove_no_absence(house) -> None:
    await house.scan(await house.campaign(), "nmap", ScanState.FAILED, phase=Phase.RECON)
    half = await house.campaign()
    for state in (ScanState.COMPLETE, ScanState.PARTIAL):
        await house.scan(half, "nmap", state, phase=Phase.RECON)
    await house.scan(await house.campaign(when="always"), "nmap", phase=Phase.RECON)
    assert await house.status() is Status.NOT_TESTED


async def test_what_is_found_breaks_it_until_it_is_fixed_or_its_risk_is_accepted(house) -> None:
    tenant = house.tenant
    scan = await house.scan(await house.campaign())
    weak = {"weakness": "tls-cipher-weak", "flaw_class": FlawClass.CONFIGURATION}
    await tenant.record(
        tenant.sight(scan, 443, severity=Severity.HIGH, title="Weak ciphers", **weak),
        tenant.sight(scan, 8443, severity=Severity.LOW, **weak),
        tenant.sight(scan, 22, severity=Severity.HIGH, weakness="ssh-mac-weak"),
    )
    ref = CampaignRef(organisation_id=tenant.id, campaign_id=scan.campaign_id, round=1)
    await Analysis(tenant.work, house.clock).analyse(ref)
    found = await house.evidence()
    assert (found.status, found.breach.present, found.breach.title) == (Status.NOT_MET, 1, "Weak ciphers")
    async with tenant.work(tenant.id) as uow:
        one = await uow.findings.vulnerability(found.breach.worst)
    until = START + timedelta(days=99)
    wanted = Wanted(VulnerabilityState.RISK_ACCEPTED, why="behind a wall", accepted_until=until)
    await house.life.edit(one.id, one.version, wanted, Actor(uuid4(), tenant.id, "ann"))
    found = await house.evidence()
    assert (found.status, found.breach.present, found.breach.accepted) == (Status.MET, 0, 1)


async def test_a_filter_takes_some_targets_and_wrong_names_are_told(house) -> None:
    tenant = house.tenant
    for wanted, count in (("tags:dmz", 1), ("tags:lab", 0), ("frameworks:own", 1), ("frameworks:cis", 0)):
        assert (await house.reader.standing(tenant.id, "own", wanted)).targets == count
    with pytest.raises(InvalidInputError, match="no field 'colour'"):
        await house.reader.standing(tenant.id, "own", "colour:red")
    with pytest.raises(NotFoundError, match="has no control 'x'"):
        await house.reader.control(tenant.id, "own", "x")
    with pytest.raises(InvalidInputError, match="no framework 'soc-2'"):
        await house.targets.edit(tenant.id, tenant.target.id, 2, frameworks=["soc-2"])


async def test_another_tenants_scans_and_targets_are_not_seen(house, other) -> None:
    reader = house.reader
    campaign = await other.campaign(house.clock.day)
    foreign = replace(await house.scan(await house.campaign()), id=uuid4())
    async with other.work(other.id) as uow:
        await uow.scans.add(
            replace(foreign, organisation_id=other.id, campaign_id=campaign.id, target_id=other.target.id)
        )
    assert await reader.overview(other.id) == ()
    assert (await reader.standing(other.id, "own")).targets == 0


async def test_how_it_stood_is_kept_by_day_once_an_hour(outbox, quiet_tenant, tmp_path) -> None:
    house, tenant = await make_house(quiet_tenant, tmp_path), quiet_tenant
    keeping = Keeping(outbox, house.clock, house.reader.record)
    await keeping.keep()
    await house.scan(await house.campaign())
    await keeping.keep()  # within the hour
    assert await house.reader.history(tenant.id, "own") == [ComplianceDay(house.clock.now().date(), 0, 2, 0)]
    await Keeping(outbox, house.clock, house.reader.record).keep()
    house.clock.day += 1
    await keeping.keep()
    days = await house.reader.history(tenant.id, "own")
    assert [(each.not_met, each.not_tested, each.met) for each in days] == [(0, 1, 1), (0, 1, 1)]
    assert [each.day.day for each in days] == [11, 12]
    assert await house.reader.history(tenant.id, "own", days[1].day) == days[1:]
