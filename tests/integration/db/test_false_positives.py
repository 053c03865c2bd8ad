"""False positives on a real PostgreSQL: scored by an analysis, learned from verdicts, marked by a policy and undone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from purple.contracts.campaigns import CampaignRef
from purple.db.engine import open_engine
from purple.db.outbox import SqlOutbox
from purple.domain.calibration import MIN_ALL
from purple.domain.errors import InvalidInputError
from purple.domain.false_positives import PROPOSED, SHIPPED, SHIPPED_VERSION, Ability, Model
from purple.domain.identity import Actor
from purple.domain.life import Chosen, Wanted
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, Service
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.domain.verdicts import Policy
from purple.domain.vulnerabilities import Vulnerability, VulnerabilityState
from purple.services.analysis import Analysis
from purple.services.false_positives import FalsePositives
from purple.services.mass_triage import MassTriage
from purple.services.relearning import QUIET, Relearning
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import Clock, Tenant, make_tenant

S = VulnerabilityState
ABILITIES = {
    "sslyze": Ability(settles=frozenset({"tls-cipher-weak"})),
    "wapiti": Ability(sees=frozenset({"sql-injection"})),
    "guesser": Ability(),
}
VERSIONS = "Installed version: 9.2\nFixed version: 9.8"


class House:
    """The services over one tenant of a database in which no relay of other tests is at work."""

    def __init__(self, tenant: Tenant, relay_url: str) -> None:
        self.tenant = tenant
        self.clock = Clock(10)
        self.engine = open_engine(relay_url)
        self.outbox = SqlOutbox(self.engine, relay_url)
        ids = TimeOrderedIds()
        self.false = FalsePositives(tenant.work, ABILITIES, self.clock, ids)
        self.relearning = Relearning(self.outbox, tenant.work, self.false, ABILITIES, self.clock, ids)
        self.many = MassTriage(tenant.work, self.clock, ids)
        self.ann = Actor(uuid4(), tenant.id, "ann")

    async def analyse(self, campaign_id: UUID) -> None:
        ref = CampaignRef(organisation_id=self.tenant.id, campaign_id=campaign_id, round=1)
        for _ in range(2):  # an activity may run twice
            await Analysis(self.tenant.work, self.clock, ABILITIES).analyse(ref)

    async def campaign(self, day: int, tool: str, *ports: int, silent: str = "", **told: object) -> UUID:
        """One in which a tool saw flaws on ports, and another one looked at them to the end and saw nothing."""
        tenant = self.tenant
        campaign = await tenant.campaign(day)
        ended = campaign.created_at + timedelta(minutes=1)
        scan = await tenant.scan(campaign, tool=tool, key=f"scan:{tool}", ended_at=ended)
        await tenant.record(*(tenant.sight(scan, port, **told) for port in ports))
        for port in ports if silent else ():
            await tenant.scan(campaign, tool=silent, key=f"scan:{silent}:{port}", port=port, ended_at=ended)
        await self.analyse(campaign.id)
        return campaign.id

    async def all(self, filter_: str = "") -> tuple[Vulnerability, ...]:
        async with self.tenant.work(self.tenant.id) as uow:
            return (await uow.findings.vulnerabilities(Query(sort="port", limit=200, filter=filter_))).items

    async def triage(self, filter_: str, state: S) -> UUID:
        wanted = Wanted(state, why="looked at")
        made = await self.many.apply(Chosen(query=Query(filter=filter_)), wanted, self.ann)
        assert made.operation_id is not None
        return made.operation_id

    async def place(self) -> None:
        while await self.outbox.place(1000):
            pass


@pytest.fixture
async def house(quiet) -> AsyncIterator[House]:
    engine = open_engine(quiet.database_url, units=True)
    made = House(await make_tenant(engine), quiet.relay_url)
    yield made
    await made.place()
    await made.outbox.close()
    await made.engine.dispose()
    await engine.dispose()


def names(one: Vulnerability) -> set[str]:
    return {each.name for each in one.doubts} - {"prior"}


async def test_an_analysis_scores_what_speaks_against_a_finding_and_nothing_else(house) -> None:
    await house.campaign(1, "nuclei", 443, silent="sslyze")
    await house.campaign(2, "nuclei", 443, 8443)
    settled, alone = await house.all()
    assert (names(settled), settled.false_positive is not None) == ({"settled"}, True)
    assert (alone.false_positive, alone.doubts) == (None, ())
    assert [each.version for each in (settled, alone)] == [1, 1], "nobody's edit is stale by a score"
    explained = await house.false.explain(house.tenant.id, settled.id)
    assert explained.doubt.score == settled.false_positive
    assert (await house.false.explain(house.tenant.id, alone.id)).doubt.reasons == ()


async def test_a_later_campaign_in_which_another_tool_saw_nothing_counts(house) -> None:
    await house.campaign(1, "nuclei", 443)
    assert [each.false_positive for each in await house.all()] == [None]
    campaign = await house.tenant.campaign(2)
    told = {"tool": "sslyze", "key": "sslyze", "port": 443, "ended_at": campaign.created_at}
    scan = await house.tenant.scan(campaign, ScanState.FAILED, **told)
    await house.analyse(campaign.id)
    assert [each.false_positive for each in await house.all()] == [None], "what did not come to an end says nothing"
    async with house.tenant.work(house.tenant.id) as uow:
        await uow.scans.update(scan.id, state=ScanState.COMPLETE)
    await house.analyse(campaign.id)
    assert [names(each) for each in await house.all()] == [{"settled"}]
    await house.campaign(3, "sslyze", 443)
    assert [names(each) for each in await house.all()] == [set()], "it sees it now"


async def test_a_version_beside_a_distribution_that_mends_without_a_new_one(house) -> None:
    tenant = house.tenant
    recon = await tenant.campaign(1)
    scan = await tenant.scan(recon, ended_at=recon.created_at)
    service = Observation(
        kind=ObservationKind.SERVICE,
        rule="nmap:service",
        title="ssh on 22/tcp",
        location=Location("192.0.2.7", 22, "tcp"),
        service=Service("ssh", "OpenSSH", "9.2p1 Debian 2+deb12u7"),
    )
    row = tenant.sight(scan, 22)
    await tenant.record(replace(row, seen=service, fingerprint="", id=uuid4()))
    await house.analyse(recon.id)
    told = {"cve": ("CVE-2026-10003",), "flaw_class": FlawClass.COMPONENT, "evidence": VERSIONS, "weakness": ""}
    await house.campaign(2, "import-nessus", 22, 2222, **told)
    ported, compared = await house.all()
    assert (names(ported), names(compared)) == ({"backport"}, set()), "a version alone is too little to be kept"
    assert "Debian" in ported.doubts[1].detail
    async with tenant.work(tenant.id) as uow:
        assert len(ported.observation_ids) == 1
        (known,) = await uow.verdicts.cases([ported.id], ABILITIES, Model())
    explained = await house.false.explain(tenant.id, ported.id)
    assert explained.doubt.reasons[1].observation_ids == ported.observation_ids
    assert known.case.banners == ("OpenSSH 9.2p1 Debian 2+deb12u7",)


async def test_guesses_count_together_also_those_of_earlier_campaigns(house) -> None:
    def guess(port: int) -> dict[str, object]:
        return {"weakness": "file-exposed", "flaw_class": FlawClass.ENDPOINT, "confidence": 0.9, "rule": f"made:{port}"}

    tenant = house.tenant
    for day, first in ((1, 0), (2, 10)):
        campaign = await tenant.campaign(day)
        scan = await tenant.scan(campaign, tool="guesser", key=f"guesser:{day}", ended_at=campaign.created_at)
        rows = []
        for number in range(first, first + 10 + 20 * (day - 1)):
            place = Location("192.0.2.7", 80, "tcp", url=f"http://192.0.2.7/{chr(97 + number % 26)}{number}x.sql")
            rows.append(tenant.sight(scan, 80, **guess(80) | {"location": place}))
        await tenant.record(*rows)
        await house.analyse(campaign.id)
        found = await house.all()
        assert len(found) == (10 if day == 1 else 40)
        assert {frozenset(names(each)) for each in found} == ({frozenset()} if day == 1 else {frozenset({"crowd"})})
    page = await house.false.proposals(tenant.id, Query(limit=7))
    assert (len(page.items), page.next_cursor != "") == (7, True)
    assert {each.id for each in await house.all(f"false_positive:>={PROPOSED}")} == {
        each.id for each in await house.all()
    }
    with pytest.raises(InvalidInputError, match="false_positive cannot be 'x'"):
        await house.all("false_positive:x")


async def test_no_policy_acts_unless_one_is_set_and_what_it_does_can_be_undone(house) -> None:
    tenant, false = house.tenant, house.false
    assert (await false.state(tenant.id)).standing.policy == Policy(None, Severity.HIGH)
    for wrong in (Policy(0.5), Policy(1.5), Policy(0.9, Severity.CRITICAL), Policy(0.9, Severity.INFO)):
        with pytest.raises(InvalidInputError):
            await false.set_policy(wrong, house.ann)
    await many_unsure(house, 1, range(1, 4))
    assert {each.state for each in await house.all()} == {S.OPEN}
    await false.set_policy(Policy(0.8), house.ann)
    assert tenant.id in await house.outbox.unscored(SHIPPED_VERSION)
    await house.relearning.catch_up(tenant.id)
    assert tenant.id not in await house.outbox.unscored(SHIPPED_VERSION)
    low, high, medium = await house.all()
    assert [each.state for each in (low, high, medium)] == [S.FALSE_POSITIVE, S.OPEN, S.FALSE_POSITIVE]
    async with tenant.work(tenant.id) as uow:
        (change,) = (await uow.changes.page(Query({"vulnerability_id": low.id}))).items
        (operation,) = (await uow.operations.page(Query())).items
        assert await uow.verdicts.said(10) == {}, "a policy does not learn from itself"
    assert (change.cause, change.actor, change.operation_id) == ("policy", "", operation.id)
    assert change.why == operation.why == "policy: 80% or more likely false, below high"
    assert (operation.actor, operation.outcome["changed"]) == ("policy", 2)
    done = await house.many.undo(operation.id, house.ann)
    assert (len(done.restored), done.left) == (2, ())
    await house.relearning.catch_up(tenant.id)
    assert {each.state for each in await house.all()} == {S.OPEN}, "what a person took back stays"
    await many_unsure(house, 2, range(4, 5))
    assert [each.state for each in await house.all("port:4")] == [S.FALSE_POSITIVE], "an analysis acts by it too"
    await false.set_policy(Policy(None), house.ann)
    await many_unsure(house, 3, range(6, 8))
    assert {each.state for each in await house.all("port:>5")} == {S.OPEN}


async def many_unsure(house: House, day: int, ports: range) -> None:
    """Flaws that two tools measured and did not find; every second one is high."""
    tenant = house.tenant
    campaign = await tenant.campaign(day)
    ended = campaign.created_at + timedelta(minutes=1)
    scan = await tenant.scan(campaign, tool="nuclei", key="nuclei", ended_at=ended)
    bad = {1: Severity.LOW, 0: Severity.HIGH}
    await tenant.record(
        *(tenant.sight(scan, port, severity=bad[port % 2 or port > 3], confidence=0.2) for port in ports)
    )
    for tool in ("sslyze", "testssl"):
        await tenant.scan(campaign, tool=tool, key=tool, ended_at=ended)
    await Analysis(tenant.work, house.clock, BOTH).analyse(
        CampaignRef(organisation_id=tenant.id, campaign_id=campaign.id, round=1)
    )
    house.relearning._abilities = BOTH  # noqa: SLF001 - as its process would know them


BOTH = dict.fromkeys(("sslyze", "testssl"), ABILITIES["sslyze"])


async def test_verdicts_of_people_teach_and_what_was_undone_does_not(house) -> None:
    tenant = house.tenant
    ports = range(1, MIN_ALL + 11)
    await house.campaign(1, "nuclei", *ports, confidence=0.3, rule="made:noisy")
    before = {each.id: each.false_positive for each in await house.all()}
    assert await house.false.learn(tenant.id) is None
    undone = await house.triage("port:<=2", S.CONFIRMED)
    await house.many.undo(undone, house.ann)
    await house.triage("port:<=35", S.FALSE_POSITIVE)
    await house.triage("port:>35 port:<=45", S.CONFIRMED)
    async with tenant.work(tenant.id) as uow:
        said = await uow.verdicts.said(1000)
    assert (len(said), sum(said.values())) == (45, 35)
    learned = await house.false.learn(tenant.id)
    assert learned is not None
    assert (learned.version, learned.n, learned.false) == (1, 45, 35)
    assert learned.past["rule made:noisy"] == (35, 10)
    assert learned.model.past == learned.past
    assert (await house.false.state(tenant.id)).learned == learned
    assert tenant.id in await house.outbox.unscored(SHIPPED_VERSION)
    await house.relearning.catch_up(tenant.id)
    (*_, last) = await house.all()
    assert {"rule", "unsure"} <= names(last)
    assert last.false_positive > before[last.id], "most of what this rule said was false"
    again = await house.false.learn(tenant.id)
    assert (again.version, again.weights) == (2, learned.weights), "the same verdicts teach the same"
    assert set(again.weights) == set(SHIPPED)


async def test_the_relay_learns_when_people_pause(house) -> None:
    tenant, relearning = house.tenant, house.relearning
    await house.campaign(1, "nuclei", 1, 2, 3, confidence=0.3)
    await house.place()
    await relearning.keep()
    assert tenant.id not in await house.outbox.unscored(SHIPPED_VERSION)
    await house.triage("port:<=2", S.FALSE_POSITIVE)
    await house.place()
    await relearning.keep()
    assert (await house.false.state(tenant.id)).learned is None, "somebody may be about to say more"
    house.clock.day += 1
    assert timedelta(days=1) > QUIET
    await relearning.keep()
    learned = (await house.false.state(tenant.id)).learned
    assert learned is not None
    assert (learned.n, learned.false, learned.in_use) == (2, 2, False)
    assert tenant.id not in await house.outbox.unscored(SHIPPED_VERSION)
    await relearning.keep()
    assert (await house.false.state(tenant.id)).learned == learned, "once"


async def test_another_organisation_sees_nothing_of_it(house, quiet) -> None:
    await house.campaign(1, "nuclei", 1, 2, 3, confidence=0.3)
    await house.triage("port:<=2", S.FALSE_POSITIVE)
    await house.false.learn(house.tenant.id)
    await house.false.set_policy(Policy(0.95), house.ann)
    engine = open_engine(quiet.database_url, units=True)
    other = await make_tenant(engine)
    async with other.work(other.id) as uow:
        assert (await uow.verdicts.latest(), (await uow.verdicts.standing()).policy.threshold) == (None, None)
        assert await uow.verdicts.said(10) == {}
    await engine.dispose()
