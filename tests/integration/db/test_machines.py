"""Targets that are one machine on a real PostgreSQL: joined, kept apart, and their flaws told once."""

import contextlib
import importlib.util
import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from purple.contracts.campaigns import CampaignRef
from purple.db import migrations
from purple.db.outbox import libpq_url
from purple.domain.errors import ConflictError, InvalidInputError, NotFoundError
from purple.domain.fingerprints import fingerprint
from purple.domain.identity import Actor
from purple.domain.life import Wanted
from purple.domain.machines import machines
from purple.domain.pages import Query
from purple.domain.risk import Group, Part, together
from purple.domain.severity import Severity
from purple.domain.targets import Target, TargetKind, normalise
from purple.domain.vulnerabilities import Vulnerability, VulnerabilityState
from purple.services.analysis import Analysis
from purple.services.compliance.frameworks import Frameworks
from purple.services.findings import FindingsReader
from purple.services.grouping import Grouping
from purple.services.life import Life
from purple.services.machine_keeping import Machine, MachineKeeping
from purple.services.risking import Risking
from purple.services.target_import import TargetImport
from purple.services.targets import Targets
from purple.services.units import Units
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import Clock, Tenant

S = VulnerabilityState


class House:
    """The services over one tenant that has registered an address, a name and a URL of that name."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.id = tenant.id
        self.clock = Clock(10)
        self.ann = Actor(uuid4(), tenant.id, "ann")
        made = (self.clock, TimeOrderedIds())
        grouping = Grouping()
        self.targets = Targets(tenant.work, Frameworks(), *made, grouping)
        self.files = TargetImport(tenant.work, Frameworks(), *made, grouping)
        self.analysis = Analysis(tenant.work, self.clock, grouping=grouping)
        self.keeping = MachineKeeping(tenant.work, grouping, *made)
        self.findings = FindingsReader(tenant.work)
        self.life = Life(tenant.work, *made)
        self.risking = Risking(tenant.work, *made)
        self.units = Units(tenant.work, *made)
        self.address = tenant.target

    async def seen(
        self,
        target: Target,
        day: int,
        *ports: int,
        severity: Severity = Severity.MEDIUM,
        address: str = "192.0.2.7",
    ) -> None:
        """A campaign that saw a flaw on each of these ports of a target, whose name resolved to the address."""
        tenant = replace(self.tenant, target=target)
        campaign = await tenant.campaign(day)
        scan = await tenant.scan(campaign, target_id=target.id, host=target.address.host, address=address)
        await tenant.record(*(tenant.sight(scan, port, severity=severity) for port in ports))
        await self.analysis.analyse(CampaignRef(organisation_id=self.id, campaign_id=campaign.id, round=1))

    async def listed(self, filter_: str = "", *, once: bool = True) -> list[tuple[str, int, int]]:
        """Target, port and risk of those that a list shows."""
        page = await self.findings.vulnerabilities(self.id, Query(filter=filter_, sort="port,target_id"), once=once)
        values = {each.id: each.value for each in await self.all_targets()}
        return [(values[each.target_id], each.port, each.risk) for each in page.items]

    async def all_targets(self) -> list[Target]:
        async with self.tenant.work(self.id) as uow:
            return list(await uow.targets.all())

    async def machines(self) -> dict[str, str | None]:
        known = {each.id: each for each in await self.all_targets()}
        return {each.value: known[each.machine_id].value if each.machine_id else None for each in known.values()}

    async def at(self, target: Target, port: int) -> Vulnerability:
        page = await self.findings.vulnerabilities(self.id, Query({"target_id": target.id, "port": port}))
        return page.items[0]

    async def join(self, one: Target, other: Target) -> Machine:
        return await self.keeping.join(one.id, other.id, "the same box", self.ann)

    async def split(self, one: Target, other: Target) -> Machine:
        return await self.keeping.split(one.id, other.id, "behind a balancer", self.ann)


def migration() -> Any:
    path = next((Path(migrations.__file__).parent / "versions").glob("0030_*.py"))
    spec = importlib.util.spec_from_file_location("machines_migration", path)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


async def furnished(tenant: Tenant) -> House:
    """A name and its URL have a flaw in common, which the address that they resolve to has as well."""
    made = House(tenant)
    made.name = await made.targets.create(tenant.id, "app.example.org")
    made.url = await made.targets.create(tenant.id, "https://app.example.org/")
    await made.seen(made.name, 1, 22, 443)
    await made.seen(made.url, 2, 443, severity=Severity.HIGH)
    await made.seen(made.address, 3, 80, 443)
    return made


@pytest.fixture
async def house(tenant) -> House:
    return await furnished(tenant)


async def test_targets_of_one_host_are_one_machine_and_an_address_is_proposed_with_its_evidence(house) -> None:
    name, url, address = house.name, house.url, house.address
    assert (name.machine_id, url.machine_id) == (None, name.id), "as they were registered"
    assert await house.machines() == {
        "192.0.2.7": None,
        "app.example.org": "app.example.org",
        "https://app.example.org/": "app.example.org",
    }
    machine = await house.keeping.of(house.id, url.id)
    assert [(each.value, link.because) for each, link in machine.others] == [("app.example.org", "the same host")]
    assert (await house.keeping.of(house.id, address.id)).others == ()
    (found,) = await house.keeping.proposals(house.id)
    assert (found.target.value, found.other.value, found.proposal.address) == (url.value, "192.0.2.7", "192.0.2.7")
    assert (found.proposal.seen_at.day, found.proposal.names) == (3, 1)
    apart = await house.split(name, address)
    assert await house.keeping.proposals(house.id) == (), "of the other name of the machine neither"
    await house.keeping.undo(apart.rulings[0].id, "to be seen", house.ann)
    assert len(await house.keeping.proposals(house.id)) == 1
    await house.split(address, name)
    await house.seen(url, 4, 443)
    assert await house.keeping.proposals(house.id) == (), "and later evidence does not ask again"
    shared = await house.targets.create(house.id, "www.example.org")
    code = await house.targets.create(house.id, "https://git.example.org/app.git")
    for one in (shared, code):
        await house.seen(one, 6, 443)
    (found,) = await house.keeping.proposals(house.id)
    assert (found.target.value, found.proposal.names) == ("www.example.org", 2), "an address of two names"
    await house.seen(shared, 8, 443, address="192.0.2.99")
    await house.seen(shared, 7, 443)
    assert await house.keeping.proposals(house.id) == (), "it is elsewhere now, whichever was analysed last"
    with pytest.raises(InvalidInputError, match="1 to 200"):
        await house.keeping.proposals(house.id, 0)


async def test_what_people_join_stands_with_who_when_and_why_and_comes_apart_when_it_is_undone(house, servers) -> None:
    name, url, address = house.name, house.url, house.address
    before = await house.listed()
    machine = await house.join(url, address)
    assert (machine.count, set((await house.machines()).values())) == (2, {"192.0.2.7"})
    told = {each.value: link.because for each, link in (await house.keeping.of(house.id, name.id)).others}
    assert told == {
        "https://app.example.org/": "the same host",
        "192.0.2.7": "ann: the same box (app.example.org resolved to 192.0.2.7 on 2126-01-03)",
    }
    assert await house.keeping.proposals(house.id) == ()
    with pytest.raises(ConflictError, match=r"ann said that .* are the same machine: the same box") as refused:
        await house.split(address, url)
    (ruling,) = machine.rulings
    assert str(ruling.id) in refused.value.remedy
    await house.keeping.undo(ruling.id, "it moved", house.ann)
    assert await house.listed() == before
    assert len(await house.keeping.proposals(house.id)) == 1
    with pytest.raises(ConflictError, match="undone already"):
        await house.keeping.undo(ruling.id, "again", house.ann)
    split = await house.split(url, name)
    assert (await house.machines())["https://app.example.org/"] is None
    await house.files.take(house.id, b"value\nhttps://app.example.org/shop\n")
    assert (await house.machines())["https://app.example.org/shop"] == "app.example.org"
    assert split.rulings[0].same is False
    with psycopg.connect(libpq_url(servers.admin_url)) as admin:
        events = admin.execute(
            "SELECT type, subject_id, data ->> 'undone', data ->> 'by' FROM events"
            " WHERE organisation_id = %s AND type IN ('target.joined', 'target.split') ORDER BY seq",
            (house.id,),
        ).fetchall()
    joined = [("target.joined", one.id, undone, "ann") for undone in ("false", "true") for one in (url, address)]
    assert events == [*joined, *(("target.split", one.id, "false", "ann") for one in (url, name))]


async def test_one_flaw_of_a_machine_is_listed_once_as_the_present_one_with_the_highest_risk(house) -> None:
    name, url, address = house.name, house.url, house.address
    assert len(await house.listed(once=False)) == 5
    assert sorted(each[:2] for each in await house.listed()) == [
        ("192.0.2.7", 80),
        ("192.0.2.7", 443),
        ("app.example.org", 22),
        ("https://app.example.org/", 443),
    ]
    await house.join(name, address)
    assert [each[:2] for each in await house.listed()] == [
        ("app.example.org", 22),
        ("192.0.2.7", 80),
        ("https://app.example.org/", 443),
    ]
    at = {one.value: await house.at(one, 443) for one in (name, url, address)}
    twins = await house.keeping.twins(house.id, at[name.value].id)
    assert [each.target_id for each in twins] == [url.id, address.id]
    assert await house.keeping.twins(house.id, (await house.at(name, 22)).id) == []
    worst = at[url.value]
    await house.life.edit(worst.id, worst.version, Wanted(S.FALSE_POSITIVE, why="not there"), house.ann)
    (left,) = [each for each in await house.listed() if each[1] == 443]
    assert left[0] in {"app.example.org", "192.0.2.7"}, "another one stands for it"
    assert [each[1] for each in await house.listed("state:false_positive")] == [], "for it is still there"
    await house.seen(name, 5, 22)
    await house.seen(address, 6, 80)
    assert {(await house.at(one, 443)).state for one in (name, address)} == {S.FIXED}
    assert len([each for each in await house.listed() if each[1] == 443]) == 1, "also of those that are gone"
    await house.seen(name, 7, 22, 25)
    assert (await house.at(name, 25)).twin is not None, "an analysis marks what it finds"
    await house.targets.edit(house.id, name.id, name.version, zone="dmz")
    assert (await house.at(name, 443)).twin == (await house.at(address, 443)).twin, "a person's word holds over zones"
    assert (await house.at(url, 443)).twin is None


async def test_machines_are_kept_up_as_if_they_were_made_anew_each_time(house) -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret
    hosts = ["a.example.org", "b.example.org", "192.0.2.8"]
    known, rulings = [house.name, house.url, house.address], []
    for step in range(40):
        word = chance.choice(["register", "move", "join", "join", "split", "split", "undo"])
        one, other = chance.sample(known, 2)
        with contextlib.suppress(ConflictError):
            if word == "register" and len(known) < 12:
                known.append(await house.targets.create(house.id, f"https://{chance.choice(hosts)}/{step}"))
            elif word == "move":
                version = (await house.targets.get(house.id, one.id)).version
                await house.targets.edit(house.id, one.id, version, zone=chance.choice(["", "dmz"]))
            elif word == "undo" and rulings:
                await house.keeping.undo(rulings.pop(chance.randrange(len(rulings))), "no more", house.ann)
            elif word in {"join", "split"}:
                said = await (house.join if word == "join" else house.split)(one, other)
                rulings.append(max(said.rulings, key=lambda each: each.id).id)
    async with house.tenant.work(house.id) as uow:
        members, standing = await uow.machines.around([each.id for each in known])
    found = machines(members, standing)
    assert {each.id: each.machine_id for each in members} == found
    assert len(standing) > 3
    assert len(set(found.values())) > 2
    for each in known:
        for port in (22, 443, 80):
            page = await house.findings.vulnerabilities(house.id, Query({"target_id": each.id, "port": port}))
            assert all((one.twin is None) == (found[each.id] is None) for one in page.items)


async def test_an_upgrade_joins_what_has_one_host_and_takes_addresses_from_scans(quiet, quiet_tenant, outbox) -> None:
    house = await furnished(quiet_tenant)
    before, proposed = await house.machines(), await house.keeping.proposals(house.id)
    with psycopg.connect(libpq_url(quiet.admin_url)) as admin:
        admin.execute("UPDATE targets SET machine_id = NULL")
        admin.execute("DELETE FROM target_addresses")
        for each in (migration().JOIN, migration().RESOLVED):
            admin.execute(each)
    assert (await house.machines(), await house.keeping.proposals(house.id)) == (before, proposed)
    assert len(proposed) == 1


class Tools:
    """A catalogue of one tool, which tells flaws apart by their cipher."""

    def names(self) -> tuple[str, ...]:
        return ("nmap",)

    def spec(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(name=name, fingerprint_fields=("cipher",))


async def test_facts_by_which_a_tool_tells_flaws_apart_tell_twins_apart_too(house) -> None:
    grouping = Grouping(Tools())  # type: ignore[arg-type]  # what it needs of one
    house.analysis = Analysis(house.tenant.work, house.clock, grouping=grouping)
    for day, (target, cipher) in enumerate([(house.name, "RC4"), (house.url, "RC4"), (house.url, "DES")], start=4):
        tenant = replace(house.tenant, target=target)
        campaign = await tenant.campaign(day)
        row = tenant.sight(await tenant.scan(campaign, target_id=target.id), 25, attributes={"cipher": cipher})
        await tenant.record(replace(row, fingerprint=fingerprint(target.id, row.seen, ["cipher"])))
        await house.analysis.analyse(CampaignRef(organisation_id=house.id, campaign_id=campaign.id, round=1))
    page = await house.findings.vulnerabilities(house.id, Query({"port": 25}, sort="target_id"))
    twins = [each.twin for each in page.items]
    assert (len(twins), len(set(twins)), None in twins) == (3, 2, False)
    assert len((await house.findings.vulnerabilities(house.id, Query({"port": 25}), once=True)).items) == 2


async def test_risk_counts_a_flaw_of_a_machine_once_in_each_unit(house) -> None:
    name, url, address = house.name, house.url, house.address
    risks = {(one.value, port): (await house.at(one, port)).risk for one, port in (
        (name, 22), (name, 443), (url, 443), (address, 80), (address, 443)
    )}  # fmt: skip
    await house.join(name, address)
    top = risks[url.value, 443]
    others = [risks[name.value, 22], risks[address.value, 80]]
    wanted = together(Part("worst", top, "Made flaw"), [Group("medium", "medium one", 2, sum(others))])
    machine = await house.risking.machine(house.id, name.id)
    assert (machine.risk.score, machine.count) == (wanted.score, 3)
    assert machine.risk.parts == wanted.parts
    whole = await house.risking.organisation(house.id)
    assert (whole.risk.score, whole.count, [each.id for each in whole.worst]) == (wanted.score, 3, [url.id])
    assert (await house.risking.target(house.id, name.id)).count == 2, "a target has all that is its own"
    unit = await house.units.create(house.id, "Retail")
    for one in (name, url):
        await house.targets.edit(house.id, one.id, one.version, unit_id=unit.id)
    retail = await house.risking.unit(house.id, unit.id)
    assert retail.count == 2
    (standing,) = await house.units.tree(house.id)
    assert (standing.risk, sum(standing.present.values())) == (retail.risk.score, 2)
    assert (await house.risking.organisation(house.id)).count == 4, "what is in two units counts in both"


async def test_who_says_nonsense_is_told_so(house, other) -> None:
    name, url = house.name, house.url
    network = await house.targets.create(house.id, "198.51.100.0/24")
    for one, another, why, field in (
        (name.id, name.id, "why", "other"),
        (name.id, network.id, "why", "other"),
        (name.id, url.id, " ", "why"),
    ):
        with pytest.raises(InvalidInputError) as told:
            await house.keeping.join(one, another, why, house.ann)
        assert told.value.field == field
    for another in (uuid4(), other.target.id):
        with pytest.raises(NotFoundError):
            await house.keeping.join(name.id, another, "of another tenant", house.ann)
    with pytest.raises(NotFoundError):
        await house.keeping.undo(uuid4(), "nothing", house.ann)


async def test_the_database_reads_the_host_of_a_target_as_the_domain_does(servers) -> None:
    values = [
        (TargetKind.HOST, "app.example.org"),
        (TargetKind.HOST, "app.example.org:8443"),
        (TargetKind.HOST, "192.0.2.7"),
        (TargetKind.HOST, "2001:db8::7"),
        (TargetKind.HOST, "[2001:db8::7]:22"),
        (TargetKind.DOMAIN, "example.org"),
        (TargetKind.API, "https://app.example.org:8443/v1?all=1"),
        (TargetKind.WEB_APPLICATION, "http://[2001:db8::7]/"),
        (TargetKind.WEB_APPLICATION, "https://192.0.2.7:444/a:b"),
    ]
    hostless = [
        (TargetKind.NETWORK, "192.0.2.0/24"),
        (TargetKind.REPOSITORY, "https://git.example.org/app.git"),
        (TargetKind.IMAGE, "registry.example.org/app:1"),
    ]
    with psycopg.connect(libpq_url(servers.admin_url)) as admin:
        for kind, value in [*values, *hostless]:
            target = Target(uuid4(), uuid4(), kind, normalise(kind, value), "", "medium", (), None)  # type: ignore[arg-type]
            (host,) = admin.execute("SELECT purple_host(%s, %s)", (str(kind), target.value)).fetchone()
            assert host == ("" if (kind, value) in hostless else target.address.host), value
