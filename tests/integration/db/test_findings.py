"""Merging on a real PostgreSQL: one row a real flaw, and a clean result that is earned."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from purple.db.repositories import intake
from purple.domain.campaigns import Campaign
from purple.domain.errors import NotFoundError
from purple.domain.life import Told, Wanted
from purple.domain.observations import RecordedObservation, Service
from purple.domain.pages import Query
from purple.domain.risk import Part, Risk
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import ChangeCause, Merged, Vulnerability, VulnerabilityState


async def merge(tenant, campaign: Campaign) -> Merged:
    async with tenant.work(tenant.id) as uow:
        return await uow.findings.merge(campaign.id, campaign.created_at)


async def all_of(tenant, **filters) -> tuple[Vulnerability, ...]:
    async with tenant.work(tenant.id) as uow:
        return (await uow.findings.vulnerabilities(Query(filters))).items


async def one(tenant) -> Vulnerability:
    (only,) = await all_of(tenant)
    return only


async def first_campaign(tenant) -> Campaign:
    """A campaign that saw one flaw on port 443."""
    campaign = await tenant.campaign(1)
    scan = await tenant.scan(campaign)
    await tenant.record(tenant.sight(scan, 443))
    await merge(tenant, campaign)
    return campaign


async def test_an_observation_comes_back_as_it_was_recorded(tenant) -> None:
    scan = await tenant.scan(await tenant.campaign(1))
    sent = tenant.sight(
        scan,
        443,
        cve=("CVE-2020-1",),
        cwe=(79,),
        references=("https://example.org",),
        evidence="a\tb\\n\nc",
        service=Service("http", "nginx", "1.2", tls=True, cpe=("cpe:/a:nginx",)),
        attributes={"cipher": "RC4"},
        confidence=0.5,
    )
    assert await tenant.record(sent) == 1
    async with tenant.work(tenant.id) as uow:
        assert await uow.findings.observation(sent.id) == sent


HOSTILE = ("a\tb", "a\\b", "\\N", "\\.", "a\nb\rc", '"{},', "NULL", "", "é…\U0001f4a5", "\\t", " ")


async def test_hostile_text_comes_back_as_it_was_recorded(tenant) -> None:
    scan = await tenant.scan(await tenant.campaign(1))
    sent = [
        tenant.sight(
            scan,
            port,
            title=words,
            evidence=words,
            cve=(words, "CVE-2020-1"),
            references=(words,),
            attributes={words: words},
            service=Service(words, banner=words),
        )
        for port, words in enumerate(HOSTILE, 1)
    ]
    assert await tenant.record(*sent) == len(HOSTILE)
    async with tenant.work(tenant.id) as uow:
        assert [await uow.findings.observation(each.id) for each in sent] == sent


async def test_batches_and_scans_keep_their_own(tenant) -> None:
    campaign = await tenant.campaign(1)
    scans = [await tenant.scan(campaign, key=name, tool=name) for name in ("nmap", "sslyze")]
    rows = [tenant.sight(scan, port) for port in range(1, 601) for scan in scans]
    async with tenant.work(tenant.id) as uow:
        assert await uow.findings.record(iter([*rows, rows[-1], rows[0]])) == len(rows)
        assert [await uow.findings.count(scan.id) for scan in scans] == [600, 600]
        assert [await uow.findings.observation(each.id) for each in rows[::100]] == rows[::100]


@pytest.mark.parametrize("saved", [0, 3, 100])
async def test_what_is_known_already_is_no_trouble_wherever_it_comes(tenant, saved, monkeypatch) -> None:
    """Twice in one batch, in a later one, or of an attempt before; with points to go back to, and beyond them."""
    for name, number in {"_FIRST": 10, "_MORE": 0, "FEW": 5, "_SAVED": saved}.items():
        monkeypatch.setattr(intake, name, number)
    scan = await tenant.scan(await tenant.campaign(1))
    rows = [tenant.sight(scan, port) for port in range(1, 101)]
    assert await tenant.record(*rows[:35], rows[3], *rows[35:50], rows[50], *rows[50:90]) == 90
    assert await tenant.record(*rows[95:], *rows) == 10
    async with tenant.work(tenant.id) as uow:
        assert await uow.findings.count(scan.id) == 100
        assert [await uow.findings.observation(each.id) for each in rows[::9]] == rows[::9]


async def test_a_batch_that_fails_leaves_nothing(tenant) -> None:
    scan = await tenant.scan(await tenant.campaign(1))

    def rows() -> Iterator[RecordedObservation]:
        yield from (tenant.sight(scan, port) for port in range(1, 400))
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        async with tenant.work(tenant.id) as uow:
            await uow.findings.record(rows())
    async with tenant.work(tenant.id) as uow:
        assert await uow.findings.count(scan.id) == 0


async def test_a_sighting_of_another_campaigns_scan_is_refused(tenant) -> None:
    scan = await tenant.scan(await tenant.campaign(1))
    stranger = await tenant.campaign(2)
    with pytest.raises(NotFoundError, match="no such scan"):
        await tenant.record(replace(tenant.sight(scan, 1), campaign_id=stranger.id))


async def test_what_is_alike_is_weighed_at_once_and_by_the_best_of_its_sightings(tenant) -> None:
    campaign = await tenant.campaign(1)
    first = await tenant.scan(campaign, key="a", tool="nmap")
    second = await tenant.scan(campaign, key="b", tool="sslyze")
    await tenant.record(*(tenant.sight(first, port, confidence=0.4) for port in (1, 2, 3)))
    await tenant.record(tenant.sight(second, 3, confidence=0.9), tenant.sight(second, 3, confidence=0.2))
    moved = (await merge(tenant, campaign)).moved
    async with tenant.work(tenant.id) as uow:
        weights = await uow.findings.weights(moved)
        assert {(each.tools, each.confidence, len(each.ids)) for each in weights} == {(1, 0.4, 2), (2, 0.9, 1)}
        risks = [(each.ids, Risk(each.tools, (Part("tools", each.tools, "made"),))) for each in weights]
        await uow.findings.set_risks(risks)
        assert {(each.risk, each.parts) for each in await uow.findings.weights(moved)} == {
            (1, (Part("tools", 1, "made"),)),
            (2, (Part("tools", 2, "made"),)),
        }


async def test_only_what_a_campaign_may_have_moved_is_weighed(tenant) -> None:
    first = await tenant.campaign(1)
    scan = await tenant.scan(first, tool="nmap")
    await tenant.record(*(tenant.sight(scan, port, confidence=0.4) for port in (1, 2, 3, 4)))
    await merge(tenant, first)
    again = await tenant.campaign(2)
    nmap = await tenant.scan(again, key="a", tool="nmap")
    other = await tenant.scan(again, key="b", tool="sslyze")
    surer = tenant.sight(nmap, 3, confidence=0.8)
    await tenant.record(*(tenant.sight(nmap, port, confidence=0.4) for port in (1, 2, 4)), surer)
    await tenant.record(tenant.sight(other, 2, confidence=0.1))
    merged = await merge(tenant, again)
    async with tenant.work(tenant.id) as uow:
        everything = {each for weight in await uow.findings.of_targets([scan.target_id]) for each in weight.ids}
        moved = await uow.findings.weights(merged.moved)
        assert {(each.tools, each.confidence, len(each.ids)) for each in moved} == {(2, 0.4, 1), (1, 0.8, 1)}
        unmoved = everything - {each for weight in moved for each in weight.ids}
        assert len(unmoved) == 2
        assert sum((await uow.findings.present(again.id)).values()) == 4
        assert not await uow.findings.present(UUID(int=1))


async def test_a_worse_severity_raises_and_a_milder_one_does_not(tenant) -> None:
    await first_campaign(tenant)
    for day, severity in ((2, Severity.CRITICAL), (3, Severity.LOW)):
        later = await tenant.campaign(day)
        await tenant.record(tenant.sight(await tenant.scan(later), 443, severity=severity))
        merged = await merge(tenant, later)
        raised = (await one(tenant)).id
        assert (await one(tenant)).severity is merged.worst is Severity.CRITICAL
        assert merged.raised == merged.moved == ((raised,) if severity is Severity.CRITICAL else ())


async def test_recording_twice_adds_nothing(tenant) -> None:
    scan = await tenant.scan(await tenant.campaign(1))
    rows = [tenant.sight(scan, port) for port in (80, 443)]
    assert await tenant.record(*rows) == 2
    assert await tenant.record(*rows) == 0
    async with tenant.work(tenant.id) as uow:
        assert await uow.findings.count(scan.id) == 2


async def test_two_tools_that_see_one_flaw_make_one_vulnerability_with_the_worst_severity(tenant) -> None:
    campaign = await tenant.campaign(1)
    first = await tenant.scan(campaign, key="a", tool="nmap")
    second = await tenant.scan(campaign, key="b", tool="sslyze")
    await tenant.record(tenant.sight(first, 443), tenant.sight(second, 443, rule="x", severity=Severity.HIGH))
    merged = await merge(tenant, campaign)
    assert (len(merged.found), merged.sightings) == (1, 2)
    only = await one(tenant)
    assert (only.severity, only.tools, len(only.observation_ids)) == (Severity.HIGH, ("nmap", "sslyze"), 2)


async def test_merging_twice_changes_nothing(tenant) -> None:
    campaign = await first_campaign(tenant)
    before = await one(tenant)
    assert await merge(tenant, campaign) == Merged((), (), (), 0, worst=before.severity)
    assert await one(tenant) == before


async def test_seeing_again_adds_a_sighting_and_rewrites_nothing(tenant) -> None:
    await first_campaign(tenant)
    before = await one(tenant)
    again = await tenant.campaign(2)
    await tenant.record(tenant.sight(await tenant.scan(again), 443))
    assert await merge(tenant, again) == Merged((), (), (), 1, worst=before.severity)
    after = await one(tenant)
    assert (after.title, after.version, after.first_seen) == (before.title, before.version, before.first_seen)
    assert after.last_seen == again.created_at


async def test_a_complete_scan_that_sees_nothing_closes_and_a_new_sighting_reopens(tenant) -> None:
    await first_campaign(tenant)
    clean = await tenant.campaign(2)
    await tenant.scan(clean)
    assert len((await merge(tenant, clean)).fixed) == 1
    assert (await one(tenant)).state is VulnerabilityState.FIXED
    back = await tenant.campaign(3)
    await tenant.record(tenant.sight(await tenant.scan(back), 443))
    merged = await merge(tenant, back)
    assert (len(merged.reopened), merged.worst) == (1, (await one(tenant)).severity)
    assert (await one(tenant)).state is VulnerabilityState.REOPENED


async def stays_open(tenant, **scan) -> bool:
    await first_campaign(tenant)
    later = await tenant.campaign(2)
    await tenant.scan(later, **scan)
    return (await merge(tenant, later)).fixed == ()


async def test_an_incomplete_scan_closes_nothing(tenant, other) -> None:
    assert await stays_open(tenant, state=ScanState.PARTIAL)
    assert await stays_open(other, state=ScanState.FAILED)


async def test_another_tool_or_scope_closes_nothing(tenant, other) -> None:
    assert await stays_open(tenant, tool="sslyze")
    assert await stays_open(other, options={"ports": "80"})


async def test_a_flaw_closes_only_when_every_tool_that_saw_it_has_looked_again(tenant) -> None:
    campaign = await tenant.campaign(1)
    scans = [await tenant.scan(campaign, key=name, tool=name) for name in ("nmap", "sslyze")]
    await tenant.record(*(tenant.sight(scan, 443) for scan in scans))
    await merge(tenant, campaign)
    later = await tenant.campaign(2)
    await tenant.scan(later, key="nmap", tool="nmap")
    assert (await merge(tenant, later)).fixed == ()
    await tenant.scan(later, key="sslyze", tool="sslyze")
    assert len((await merge(tenant, later)).fixed) == 1


async def test_an_earlier_scan_closes_nothing_that_was_seen_after_it(tenant) -> None:
    campaign = await tenant.campaign(2)
    await tenant.record(tenant.sight(await tenant.scan(campaign), 443))
    await merge(tenant, campaign)
    earlier = await tenant.campaign(1)
    await tenant.scan(earlier)
    assert (await merge(tenant, earlier)).fixed == ()


async def test_pages_run_from_the_worst_risk_and_miss_nobody(tenant) -> None:
    campaign = await tenant.campaign(1)
    scan = await tenant.scan(campaign)
    await tenant.record(*(tenant.sight(scan, port) for port in range(1, 8)))
    merged = await merge(tenant, campaign)
    risks = {key: Risk(n % 3 * 10, (Part("made", n % 3 * 10, f"reason {n}"),)) for n, key in enumerate(merged.found)}
    found: list[tuple[int, UUID]] = []
    async with tenant.work(tenant.id) as uow:
        await uow.findings.set_risks([([key], risk) for key, risk in risks.items()])
        cursor = ""
        while True:
            page = await uow.findings.vulnerabilities(Query({}, cursor, 2))
            found += [(item.risk, item.id) for item in page.items]
            cursor = page.next_cursor
            if not cursor:
                break
    assert {key: risk for risk, key in found} == {key: risk.score for key, risk in risks.items()}
    assert [risk for risk, _ in found] == sorted((risk for risk, _ in found), reverse=True)


async def test_of_those_that_a_campaign_saw_the_present_come_first_and_no_other_campaigns(tenant) -> None:
    campaign = await tenant.campaign(1)
    scan = await tenant.scan(campaign)
    seen = [tenant.sight(scan, port) for port in (1, 2, 443)]
    await tenant.record(*seen)
    await merge(tenant, campaign)
    later = await tenant.campaign(2)
    await tenant.record(tenant.sight(await tenant.scan(later, ScanState.PARTIAL), 9))
    await merge(tenant, later)
    by_port = {each.port: each for each in await all_of(tenant)}
    risks = {443: 20, 1: 90, 2: 40, 9: 99}
    async with tenant.work(tenant.id) as uow:
        await uow.findings.set_risks([([by_port[port].id], Risk(risk, ())) for port, risk in risks.items()])
        wanted = Wanted(VulnerabilityState.FALSE_POSITIVE, why="made")
        await uow.lives.change([by_port[1].id], wanted, Told(ChangeCause.PERSON, later.created_at))
        assert [each.port for each in await uow.findings.seen_by(campaign.id, 9)] == [2, 443, 1]
        (first,) = await uow.findings.seen_by(campaign.id, 1)
        assert (first.tools, first.observation_ids) == (("nmap",), (seen[1].id,))
        assert await uow.findings.number_seen_by(campaign.id) == 3
        assert await uow.findings.observed([seen[0].id, UUID(int=0)]) == {seen[0].id: seen[0]}
