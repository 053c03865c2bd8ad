"""Risk on a real PostgreSQL: weighed with what others publish, weighed again when that or the weights change."""

import importlib.util
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from purple.contracts.campaigns import CampaignRef
from purple.db import migrations
from purple.db.engine import open_engine
from purple.db.outbox import SqlOutbox, libpq_url
from purple.db.shelf import SqlShelf
from purple.db.unit_of_work import unit_of_work
from purple.domain.enrichment import Dataset, Edition
from purple.domain.errors import InvalidInputError
from purple.domain.events import Event
from purple.domain.identity import Actor
from purple.domain.pages import Query
from purple.domain.risk import ENRICHED, MODEL, SHIPPED
from purple.domain.severity import Severity
from purple.domain.targets import Control, DataClass, Exposure, Target
from purple.domain.vulnerabilities import Vulnerability
from purple.domain.weighing import Touched
from purple.services.analysis import Analysis
from purple.services.compliance.frameworks import Frameworks
from purple.services.rescoring import Rescoring
from purple.services.risking import Risking
from purple.services.targets import Targets
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import START, Clock, Tenant, make_tenant

V31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
ONE, TWO = "CVE-2026-10001", "CVE-2026-10002"


class House:
    """One tenant with four flaws: two with a CVE, one of them with a vector of its tool's, and two without."""

    def __init__(self, tenant: Tenant, relay_url: str) -> None:
        self.tenant = tenant
        self.clock = Clock(10)
        self.engine = open_engine(relay_url)
        self.shelf = SqlShelf(self.engine)
        self.outbox = SqlOutbox(self.engine, relay_url)
        self.rescoring = Rescoring(self.outbox, tenant.work, self.clock)
        self.risking = Risking(tenant.work, self.clock, TimeOrderedIds())
        self.targets = Targets(tenant.work, Frameworks(), self.clock, TimeOrderedIds())
        self.ann = Actor(uuid4(), tenant.id, "ann")
        self.edition = 0

    async def found(self) -> None:
        tenant = self.tenant
        campaign = await tenant.campaign(1)
        scan = await tenant.scan(campaign)
        await tenant.record(
            tenant.sight(scan, 1, severity=Severity.CRITICAL, cve=(ONE,), cvss_vector=V31, cvss_score=9.8),
            tenant.sight(scan, 2, severity=Severity.HIGH, cve=(TWO,)),
            tenant.sight(scan, 3, severity=Severity.MEDIUM),
            tenant.sight(scan, 4, severity=Severity.MEDIUM, cwe=(89,)),
        )
        ref = CampaignRef(organisation_id=tenant.id, campaign_id=campaign.id, round=1)
        await Analysis(tenant.work, self.clock).analyse(ref)

    async def publish(self, dataset: Dataset, **facts: dict[str, object]) -> None:
        """By CVE; underscores stand for hyphens."""
        self.edition += 1
        rows = [(key.replace("_", "-"), fact) for key, fact in facts.items()]

        async def batches() -> AsyncIterator[list[tuple[str, dict[str, object]]]]:
            yield rows

        edition = Edition(dataset, f"v{self.edition}", None, self.clock.now(), "made", str(self.edition), len(rows))
        await self.shelf.put(dataset, batches(), lambda _: edition)

    async def all(self) -> tuple[Vulnerability, ...]:
        async with self.tenant.work(self.tenant.id) as uow:
            return (await uow.findings.vulnerabilities(Query(sort="port"))).items

    async def risks(self) -> list[int]:
        return [each.risk for each in await self.all()]

    async def told(self, kind: str) -> list[Event]:
        while await self.outbox.place(1000):
            pass
        async with self.tenant.work(self.tenant.id) as uow:
            return [each for each in await uow.events.after(0, 10_000) if each.type == kind]


@pytest.fixture
async def house(quiet) -> AsyncIterator[House]:
    with psycopg.connect(libpq_url(quiet.admin_url), autocommit=True) as admin:
        admin.execute("TRUNCATE reference_facts, reference_editions, risk_rules")
    engine = open_engine(quiet.database_url, units=True)
    made = House(await make_tenant(engine), quiet.relay_url)
    await made.found()
    yield made
    while await made.outbox.place(1000):
        pass
    await made.outbox.close()
    await made.engine.dispose()
    await engine.dispose()


async def test_a_vulnerability_is_weighed_by_the_vector_of_its_tool(house) -> None:
    first, second, third, _ = await house.all()
    assert (first.cvss_vector, first.cvss_score, first.risk_reasons[0]) == (V31, 9.8, "CVSS 9.8 (64)")
    assert second.risk_reasons == ("severity high (52)", "high asset (+8)")
    assert third.risk == 35 + 8
    assert await house.outbox.unweighed(MODEL) == (), "what an analysis weighed is not behind"


async def test_a_change_of_kev_or_epss_moves_what_it_touches_and_says_why(house) -> None:
    before = await house.all()
    await house.publish(Dataset.EPSS, CVE_2026_10001={"score": 0.5, "percentile": 0.9}, CVE_2026_1={"score": 1.0})
    assert house.tenant.id in await house.outbox.unweighed(MODEL)
    async with house.tenant.work(house.tenant.id) as uow:
        assert await uow.risks.touched(ENRICHED, 0) == [Touched(before[0].id, (Dataset.EPSS,))]
        assert await uow.risks.touched(ENRICHED, 1) == []
    await house.rescoring.catch_up(house.tenant.id)
    assert house.tenant.id not in await house.outbox.unweighed(MODEL)
    after = await house.all()
    assert [new.risk - old.risk for new, old in zip(after, before, strict=True)] == [5, 0, 0, 0]
    assert "EPSS 50% (+5)" in after[0].risk_reasons
    assert [each.version for each in after] == [each.version for each in before], "nobody's edit is stale by it"
    kev = {"name": "x", "added": "2026-11-28", "due": "", "ransomware": False}
    await house.publish(Dataset.KEV, CVE_2026_10002=kev)
    await house.rescoring.catch_up(house.tenant.id)
    await house.rescoring.catch_up(house.tenant.id)  # a second time finds nothing left
    told = await house.told("vulnerability.rescored")
    assert [(each.subject_id, each.data["before"], each.data["after"], each.data["cause"]) for each in told] == [
        (before[0].id, 72, 77, ["epss"]),
        (before[1].id, 60, 75, ["kev"]),
    ]
    assert told[1].data["editions"] == {"kev": "v2"}
    (_, last) = await house.told("risk.rescored")
    assert (last.data["cause"], last.data["raised"], last.data["lowered"]) == (["kev"], 1, 0)
    await house.publish(Dataset.KEV, CVE_2026_30000=kev)
    await house.rescoring.catch_up(house.tenant.id)
    assert (await house.risks())[1] == 60, "what leaves the catalogue counts no more"


async def test_a_score_that_moves_by_less_than_a_point_says_nothing(house) -> None:
    await house.publish(Dataset.EPSS, CVE_2026_10001={"score": 0.52, "percentile": 0.9})
    await house.rescoring.catch_up(house.tenant.id)
    await house.publish(Dataset.EPSS, CVE_2026_10001={"score": 0.53, "percentile": 0.9})
    await house.rescoring.catch_up(house.tenant.id)
    assert len(await house.told("vulnerability.rescored")) == 1
    assert "EPSS 53% (+5)" in (await house.all())[0].risk_reasons


async def test_an_import_is_weighed_with_what_is_known_by_then(house) -> None:
    await house.publish(Dataset.CVE, CVE_2026_10002={"cvss": V31, "cwe": [79], "exploit": True, "published": ""})
    tenant = house.tenant
    campaign = await tenant.campaign(2)
    scan = await tenant.scan(campaign, tool="other")
    await tenant.record(tenant.sight(scan, 2, severity=Severity.HIGH, cve=(TWO,)))
    ref = CampaignRef(organisation_id=tenant.id, campaign_id=campaign.id, round=1)
    await Analysis(tenant.work, house.clock).analyse(ref)
    known = ("CVSS 9.8 (64)", "an exploit is published (+6)", "high asset (+8)", "seen by 2 tools (+3)")
    assert (await house.all())[1].risk_reasons == known


async def test_a_flaw_that_is_told_better_is_weighed_by_the_new_words(house) -> None:
    tenant = house.tenant
    campaign = await tenant.campaign(2)
    scan = await tenant.scan(campaign)
    told = {"severity": Severity.HIGH, "cve": (TWO,), "cvss_vector": V31}  # neither worse nor surer nor another tool
    await tenant.record(*(tenant.sight(scan, 2, **told, description=f"words {n}") for n in range(30)))
    ref = CampaignRef(organisation_id=tenant.id, campaign_id=campaign.id, round=1)
    await Analysis(tenant.work, house.clock).analyse(ref)
    second = (await house.all())[1]
    assert (second.cvss_vector, second.risk_reasons[0]) == (V31, "CVSS 9.8 (64)")


async def test_other_weights_are_tried_then_saved_and_weigh_everything_again(house) -> None:
    tenant, before = house.tenant, await house.risks()
    trial = await house.risking.try_weights(tenant.id, {"severity_medium": 50, "severity_high": 40})
    assert (trial.looked_at, trial.of, trial.raised, trial.lowered) == (4, 4, 2, 1)
    assert [(each.before.score, each.after.score) for each in trial.shifts] == [(43, 58), (43, 58), (60, 48)]
    assert [band for band in trial.bands if band[1:] != (0, 0)] == [("60-79", 2, 1), ("40-59", 2, 3)]
    assert (await house.risks(), await house.told("risk.weights_changed")) == (before, [])
    with pytest.raises(InvalidInputError):
        await house.risking.try_weights(tenant.id, {"luck": 1})
    rules = await house.risking.set_weights({"severity_medium": 50}, house.ann)
    assert (rules.own, rules.weights) == (True, SHIPPED.changed({"severity_medium": 50}))
    assert house.tenant.id in await house.outbox.unweighed(MODEL)
    await house.rescoring.catch_up(tenant.id)
    assert await house.risks() == [72, 60, 58, 58]
    assert {tuple(each.data["cause"]) for each in await house.told("vulnerability.rescored")} == {("weights",)}
    await house.risking.set_weights(None, house.ann)
    await house.rescoring.catch_up(tenant.id)
    assert (await house.risks(), await house.outbox.unweighed(MODEL)) == (before, ())
    assert [each.data["by"] for each in await house.told("risk.weights_changed")] == ["ann", "ann"]


async def test_a_release_with_another_model_weighs_everything(house, quiet) -> None:
    before = await house.risks()
    with psycopg.connect(libpq_url(quiet.admin_url), autocommit=True) as admin:
        admin.execute("INSERT INTO risk_rules VALUES (%s, NULL, 0, 0, 0, 0)", [house.tenant.id])  # as 0017 does
        admin.execute(
            "UPDATE vulnerabilities SET risk = 1, risk_parts = '[]' WHERE organisation_id = %s", [house.tenant.id]
        )
    assert await house.outbox.unweighed(MODEL) == (house.tenant.id,)
    await house.rescoring.keep()
    assert await house.risks() == before
    assert {tuple(each.data["cause"]) for each in await house.told("vulnerability.rescored")} == {("release",)}


async def test_what_a_target_is_moves_the_risk_of_what_it_has(house) -> None:
    before = await house.all()
    await house.targets.edit(
        house.tenant.id,
        house.tenant.target.id,
        1,
        exposure=Exposure.INTERNET,
        data_class=DataClass.RESTRICTED,
        controls=(Control.WAF, Control.SEGMENTATION, Control.WAF),
    )
    after = await house.all()
    assert [new.risk - old.risk for new, old in zip(after, before, strict=True)] == [10 + 8 - 8] * 4
    assert "behind segmentation, waf (-8)" in after[0].risk_reasons


async def test_why_says_everything_that_a_score_came_from(house) -> None:
    await house.publish(Dataset.KEV, CVE_2026_10001={"name": "x", "added": "2026-11-28", "ransomware": True})
    await house.publish(Dataset.CWE, CWE_89={"name": "SQL", "abstraction": "Base", "parents": [943], "capec": [66]})
    await house.publish(Dataset.CAPEC, CAPEC_66={"name": "SQL Injection", "attack": ["T1190"]})
    await house.publish(Dataset.ATTACK, T1190={"name": "Exploit Public-Facing Application", "tactics": []})
    first, _, _, fourth = await house.all()
    why = await house.risking.vulnerability(house.tenant.id, first.id)
    assert (why.risk.score, sum(each.points for each in why.risk.parts)) == (64 + 15 + 5 + 8, why.risk.score)
    assert why.cvss is not None
    assert (why.cvss.base, why.ssvc.decision) == (9.8, "act")
    assert list(why.cves[ONE]) == [Dataset.KEV]
    assert [each.dataset for each in why.editions] == [Dataset.ATTACK, Dataset.CAPEC, Dataset.CWE, Dataset.KEV]
    (weakness,) = (await house.risking.vulnerability(house.tenant.id, fourth.id)).weaknesses.values()
    assert weakness == {
        "name": "SQL",
        "abstraction": "Base",
        "parents": ["CWE-943"],
        "patterns": [{"id": "CAPEC-66", "name": "SQL Injection"}],
        "techniques": [{"id": "T1190", "name": "Exploit Public-Facing Application"}],
    }


async def test_a_target_and_the_organisation_are_as_bad_as_what_is_there(house, quiet) -> None:
    tenant = house.tenant
    mine = await house.risking.target(tenant.id, tenant.target.id)
    assert (mine.count, [each.score for each in mine.worst]) == (4, [72, 60, 43, 43])
    assert [(part.name, part.points) for part in mine.risk.parts] == [("worst", 72), ("high", 1), ("medium", 1)]
    assert mine.risk.score == 74
    other = await second_target(tenant)
    empty = await house.risking.target(tenant.id, other.id)
    assert (empty.risk.score, empty.count, empty.worst) == (0, 0, ())
    whole = await house.risking.organisation(tenant.id)
    assert (whole.risk.score, whole.count, [each.name for each in whole.worst]) == (74, 4, ["web"])
    engine = open_engine(quiet.database_url, units=True)
    nobody = await make_tenant(engine)
    assert (await house.risking.organisation(nobody.id)).risk.score == 0
    await engine.dispose()


async def second_target(tenant: Tenant) -> Target:
    made = replace(tenant.target, id=uuid4(), value="192.0.2.8", created_at=START + timedelta(days=1))
    async with tenant.work(tenant.id) as uow:
        await uow.targets.add(made)
    return made


async def test_an_upgrade_takes_vectors_from_what_is_kept(house, quiet) -> None:
    path = next((Path(migrations.__file__).parent / "versions").glob("0017_*.py"))
    spec = importlib.util.spec_from_file_location("risk_migration", path)
    assert spec
    assert spec.loader
    migration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    with psycopg.connect(libpq_url(quiet.admin_url), autocommit=True) as admin:
        admin.execute("UPDATE vulnerabilities SET cvss_vector = '', cvss_score = 0")
    with psycopg.connect(libpq_url(quiet.owner_url)) as owner:
        owner.execute(migration.FILL)
    assert [(each.cvss_vector, each.cvss_score) for each in await house.all()] == [
        (V31, 9.8),
        ("", 0),
        ("", 0),
        ("", 0),
    ]


async def test_weights_are_the_tenants_own(house, quiet) -> None:
    await house.risking.set_weights({"kev": 30}, house.ann)
    engine = open_engine(quiet.database_url, units=True)
    other = await make_tenant(engine)
    async with unit_of_work(engine)(other.id) as uow:
        assert not (await uow.risks.rules()).own
    await engine.dispose()
