"""Root causes on a real PostgreSQL: what one fix each would end."""

from dataclasses import replace

from purple.contracts.campaigns import CampaignRef
from purple.domain.fingerprints import fingerprint
from purple.domain.life import Wanted
from purple.domain.observations import FlawClass
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import VulnerabilityState
from purple.services.analysis import Analysis
from tests.integration.db.conftest import Clock
from tests.integration.db.test_rulings import House


async def test_what_one_fix_ends_is_one_cause_and_the_heaviest_comes_first(tenant) -> None:
    house = House(tenant)
    campaign = await tenant.campaign(1)
    scan = await tenant.scan(campaign)
    component = {"flaw_class": FlawClass.COMPONENT, "weakness": ""}
    package = component | {"attributes": {"package": "pypi/jinja2"}}
    flaws = [
        tenant.sight(scan, 443, weakness="tls-cipher-weak", severity=Severity.LOW),
        tenant.sight(scan, 443, weakness="tls-key-short", severity=Severity.HIGH, remediation="a longer key"),
        tenant.sight(scan, 8443, weakness="tls-cipher-weak", severity=Severity.LOW),
        tenant.sight(scan, 0, cve=("CVE-2026-10001",), severity=Severity.CRITICAL, **package),
        tenant.sight(scan, 0, cve=("CVE-2026-10002",), severity=Severity.HIGH, **package),
        tenant.sight(scan, 22, cve=("CVE-2026-3", "CVE-2026-2"), severity=Severity.MEDIUM, **component),
        tenant.sight(scan, 80, weakness="", severity=Severity.INFO),
        tenant.sight(scan, 81, weakness="", severity=Severity.INFO),
    ]
    named = [replace(each, fingerprint=fingerprint(tenant.target.id, each.seen, ["package"])) for each in flaws]
    await tenant.record(*named)
    ref = CampaignRef(organisation_id=tenant.id, campaign_id=campaign.id, round=1)
    await Analysis(tenant.work, Clock()).analyse(ref)

    async def causes(text: str = "", limit: int = 50) -> list[tuple[str, int, Severity]]:
        async with tenant.work(tenant.id) as uow:
            found = await uow.findings.causes(Query(filter=text, limit=limit))
        assert found.number >= len(found.items)
        return [(each.cause, each.vulnerabilities, each.severity) for each in found.items]

    assert await causes() == [
        ("package pypi/jinja2", 2, Severity.CRITICAL),
        ("tls of 192.0.2.7:443", 2, Severity.HIGH),
        ("CVE-2026-2", 1, Severity.MEDIUM),
        ("tls of 192.0.2.7:8443", 1, Severity.LOW),
        ("made:rule", 2, Severity.INFO),
    ]
    async with tenant.work(tenant.id) as uow:
        found = await uow.findings.causes(Query(filter="severity:high", limit=1))
    (heaviest,) = found.items
    assert (found.number, heaviest.vulnerabilities, heaviest.targets, heaviest.total) == (2, 1, 1, heaviest.risk)
    worst = next(each for each in await house.all() if each.id == heaviest.worst)
    assert (heaviest.title, heaviest.remediation, heaviest.risk) == (worst.title, worst.remediation, worst.risk)
    assert await causes('cause:"tls of 192.0.2.7:443"') == [("tls of 192.0.2.7:443", 2, Severity.HIGH)]
    gone = [each for each in await house.all() if each.cause == "package pypi/jinja2"]
    for each in gone:
        await house.life.edit(each.id, each.version, Wanted(VulnerabilityState.FALSE_POSITIVE, why="x"), house.ann)
    assert "package pypi/jinja2" not in {cause for cause, *_ in await causes()}, "only what is present"
