"""The same query finds the same vulnerabilities in Elasticsearch and in PostgreSQL, and counts them alike.

Nothing here needs a module that the plain distribution of Elasticsearch lacks: neither ILM nor painless, reindex,
update by query, the `wildcard` type or an analyser of a language.
"""

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from purple.db.outbox import libpq_url
from purple.db.repositories.searching import SOURCES
from purple.domain.errors import InvalidInputError
from purple.domain.filters import quoted
from purple.domain.pages import Query
from purple.domain.queries import parse_query
from purple.domain.search import VULNERABILITIES, Hits, Wanted
from purple.domain.severity import Severity
from purple.domain.targets import Criticality, Target, TargetKind
from purple.domain.units import Unit
from purple.search.elastic import Elastic, connected
from purple.settings.app import SearchSettings
from purple.toolkit.world import SystemClock
from tests.integration.db.conftest import Tenant, make_tenant

NOW = datetime.now(UTC)
DUE = datetime(2126, 1, 31, 18, 0, 0, 123_456, tzinfo=UTC)
INDEX = SOURCES[VULNERABILITIES].index
WILD = r"100% of *wild?\ [x] <b>, 'it' $1"
SEEN = {1: timedelta(hours=1), 2: timedelta(days=3), 3: timedelta(days=10), 4: timedelta(days=30)}


@dataclass
class Arranged:
    """A tenant with six vulnerabilities, told apart by their ports, and an index of them."""

    tenant: Tenant
    elastic: Elastic
    ports: dict[UUID, int]
    units: dict[str, UUID]

    async def both(self, text: str, *, limit: int = 50, facets: dict[str, int] | None = None) -> tuple[Hits, Hits]:
        written = parse_query(text)
        wanted = Wanted(INDEX.fields.conditions(written.terms), written.phrases, limit, facets or {})
        async with self.tenant.work(self.tenant.id) as uow:
            mine = await uow.documents.find(VULNERABILITIES, wanted)
            settled = replace(wanted, conditions=await uow.documents.settled(wanted.conditions))
        return mine, await self.elastic.find(self.tenant.id, settled)

    async def found(self, text: str) -> tuple[list[int], list[int]]:
        mine, theirs = await self.both(text)
        assert (mine.total, theirs.total) == (len(mine.ids), len(theirs.ids))
        async with self.tenant.work(self.tenant.id) as uow:
            listed = (await uow.findings.vulnerabilities(Query(filter=text))).items
        assert {each.id for each in listed} == set(mine.ids), "the list is filtered in the same language"
        return sorted(self.ports[one] for one in mine.ids), sorted(self.ports[one] for one in theirs.ids)


async def sighted(tenant: Tenant, units: dict[str, UUID]) -> None:
    """One campaign, three targets, three tools."""
    target = Target(uuid4(), tenant.id, TargetKind.DOMAIN, "b.example.org", "b", Criticality.LOW, (), tenant.start)
    b = replace(tenant, target=target)
    c = replace(
        tenant,
        target=replace(target, id=uuid4(), value="c.example.org", tags=("pci", "Größe"), unit_id=units["Retail"]),
    )
    async with tenant.work(tenant.id) as uow:
        await uow.targets.edit(tenant.target.id, 1, tags=("dmz", "pci"), unit_id=units["Retail/Payments"])
        await uow.targets.add(b.target)
        await uow.targets.add(c.target)
    campaign = await tenant.campaign(1)
    nmap = await tenant.scan(campaign, key="a")
    sqlmap = await b.scan(campaign, key="b", tool="sqlmap", target_id=b.target.id)
    wapiti = await b.scan(campaign, key="c", tool="wapiti", target_id=b.target.id)
    other = await c.scan(campaign, key="d", tool="wapiti", target_id=c.target.id)
    tls = {"title": "Weak TLS cipher", "cve": ("CVE-2024-1", "CVE-2023-99"), "cwe": (327, 79)}
    blind = {"title": "sql INJECTION (blind)", "severity": Severity.CRITICAL, "weakness": "sql-injection"}
    said = {"description": 'The "id" parameter; see 10.0.0.7:8443/a_b-c'}
    await tenant.record(
        tenant.sight(nmap, 1, **tls),
        tenant.sight(nmap, 2, title="SQL injection in login", severity=Severity.HIGH, weakness="sql-injection"),
    )
    await b.record(
        b.sight(sqlmap, 3, **blind, **said),
        b.sight(wapiti, 3, **blind, **said),
        b.sight(wapiti, 4, title=WILD, severity=Severity.LOW, weakness=""),
    )
    await c.record(
        c.sight(other, 5, title="Überlauf in der Prüfung", severity=Severity.INFO),
        c.sight(other, 6, title="none", cwe=(79,)),
    )
    async with tenant.work(tenant.id) as uow:
        await uow.findings.merge(campaign.id, campaign.created_at)


def lived(admin_url: str, tenant: Tenant) -> None:
    """What people, time and others made of them."""
    states = {2: "confirmed", 3: "fixed", 4: "false_positive", 5: "risk_accepted"}
    with psycopg.connect(libpq_url(admin_url), autocommit=True) as admin:

        def change(port: int, what: str, *values: object) -> None:
            statement = f"UPDATE vulnerabilities SET {what} WHERE organisation_id = %s AND port = %s"  # noqa: S608 - ours
            admin.execute(statement, (*values, tenant.id, port))

        for port in range(1, 7):
            change(port, "state = %s, risk = %s, due_at = NULL", states.get(port, "open"), port % 3 * 10)
        change(2, "owner = 'ana', due_at = %s", DUE)
        change(5, "accepted_until = %s", DUE + timedelta(days=1))
        change(1, "risk_parts = %s", '[["cvss", 50, "kev"], ["kev", 15, "known to be exploited"]]')
        change(2, "risk_parts = %s", '[["cvss", 50, "kev"]]')
        for port, age in SEEN.items():
            admin.execute(
                "UPDATE sightings s SET seen_at = %s FROM vulnerabilities v WHERE v.id = s.vulnerability_id"
                " AND v.organisation_id = %s AND v.port = %s",
                (NOW - age, tenant.id, port),
            )


@pytest.fixture(scope="module")
async def arranged(engine: AsyncEngine, servers) -> AsyncIterator[Arranged]:
    tenant = await make_tenant(engine)
    units = {path: uuid4() for path in ("Retail", "Retail/Payments", "Retailers")}
    async with tenant.work(tenant.id) as uow:
        for path, key in units.items():
            above = units.get(path.rpartition("/")[0])
            lineage = tuple(filter(None, (above, key)))
            name = path.rpartition("/")[2]
            await uow.units.add(Unit(key, tenant.id, name, tenant.start, above, path=path, lineage=lineage))
    await sighted(tenant, units)
    lived(servers.admin_url, tenant)
    client = connected(SearchSettings(url=servers.search_url))
    elastic = Elastic(client, replace(INDEX, name="contract"), SystemClock())
    await elastic.generation()
    async with tenant.work(tenant.id) as uow:
        documents = await uow.documents.some(VULNERABILITIES, await uow.documents.ids(VULNERABILITIES, None, 100))
    strangers = [{**each, "id": str(uuid4()), "organisation_id": str(uuid4())} for each in documents]
    await elastic.index([*documents, *strangers])
    await elastic.refresh()
    yield Arranged(tenant, elastic, {UUID(each["id"]): each["port"] for each in documents}, units)
    await client.indices.delete(index=f"{elastic.alias}-{elastic.schema}")
    await client.close()


ALL = [1, 2, 3, 4, 5, 6]
CONTRACT: dict[str, list[int]] = {
    "": ALL,
    # equality and lists
    "severity:high": [2],
    "severity:low,info": [4, 5],
    "-severity:low,info": [1, 2, 3, 6],
    "state:open": [1, 6],
    "-state:fixed": [1, 2, 4, 5, 6],
    "port:3": [3],
    "port:1,6": [1, 6],
    'title:"Weak TLS cipher"': [1],
    'title:"weak tls cipher"': [],
    f"title:{quoted(WILD)}": [4],
    "title:none": [],
    'title:"none"': [],
    "weakness:none": [4],
    "-weakness:none": [1, 2, 3, 5, 6],
    "owner:ana": [2],
    "owner:none": [1, 3, 4, 5, 6],
    "id:00000000-0000-0000-0000-000000000000": [],
    # choices and numbers are ordered
    "severity:>=high": [2, 3],
    "severity:>critical": [],
    "-severity:>critical": ALL,
    "severity:<=low": [4, 5],
    "severity:<info": [],
    "kev:yes": [1],
    "kev:no": [2, 3, 4, 5, 6],
    "kev:>no": [1],
    "port:>4": [5, 6],
    "port:>=2 port:<4": [2, 3],
    "-port:<=4": [5, 6],
    "risk:>=10": [1, 2, 4, 5],
    # arrays
    "cve:CVE-2024-1": [1],
    "cve:cve-2024-1": [],
    "cve:none": [2, 3, 4, 5, 6],
    "-cve:none": [1],
    "cve:~2023-99": [1],
    "cve:~1CVE": [],
    "cwe:79": [1, 6],
    "cwe:327,79": [1, 6],
    "cwe:~32": [1],
    # texts that hold others
    "title:~INJECTION": [2, 3],
    "title:~prüfung": [5],
    "title:~ÜBER": [5],
    'title:~"*wild?"': [4],
    "title:~%": [4],
    "title:~_": [],
    r'title:~"\\ [x]"': [4],
    'title:~""': ALL,
    'cve:~""': ALL,
    "-title:~injection": [1, 4, 5, 6],
    "host:~192": ALL,
    # moments
    "seen:<2h": [1, 5, 6],  # the last two are of another time
    "seen:<7d": [1, 2, 5, 6],
    "last_seen:>=7d": [3, 4],
    "first_seen:>2w": [4],
    "-seen:<7d": [3, 4],
    "due_at:none": [1, 3, 4, 5, 6],
    "-due_at:none": [2],
    "due_at:2126-01-31": [2],
    "due_at:2126-02-01": [],
    "due_at:2126-01-31T18:00:00.123456Z": [2],
    "due_at:2126-01-31T18:00:00.123455Z": [],
    "due_at:>2126-01-31T18:00:00.123455Z": [2],
    "due_at:<=2126-01-31T20:00:00.123456+02:00": [2],
    "-due_at:>2000-01-01": [1, 3, 4, 5, 6],
    "accepted_until:>2126-01-31": [5],
    # who saw it, and what its target is
    "tool:wapiti": [3, 4, 5, 6],
    "tool:nmap,sqlmap": [1, 2, 3],
    "-tool:sqlmap": [1, 2, 4, 5, 6],
    "tool:none": [],
    "tags:pci": [1, 2, 5, 6],
    "tags:PCI": [],
    "tags:dmz,Größe": [1, 2, 5, 6],
    "-tags:dmz": [3, 4, 5, 6],
    "tags:none": [3, 4],
    "-tags:none": [1, 2, 5, 6],
    "unit:Retail": [1, 2, 5, 6],
    "unit:retail/payments": [1, 2],
    "target.bu:Retail -unit:Retail/Payments": [5, 6],
    "unit:none": [3, 4],
    "-unit:none": [1, 2, 5, 6],
    "unit:none,Retail/Payments": [1, 2, 3, 4],
    "unit:Nowhere": [],
    "-unit:Nowhere": ALL,
    "campaign_id:00000000-0000-0000-0000-000000000000": [],
    # words
    "injection": [2, 3],
    "INJECTION sql": [2, 3],
    "sql-injection -blind": [2],
    '"injection in"': [2],
    '"in injection"': [],
    "10.0.0.7": [3],
    "10.0.0": [3],
    "0.0.7:8443": [3],
    "10.0.0.70": [],
    "a_b": [3],
    "inj*": [2, 3],
    "cve-2024-1": [1],
    "cve-2024-11": [],
    "prüf*": [5],
    "wild x b": [4],
    "-injection": [1, 4, 5, 6],
    "192.0.2.7": ALL,
    # all of it
    "severity:>=high -state:fixed injection target.bu:Retail seen:<7d": [2],
}  # fmt: skip


@pytest.mark.parametrize("text", CONTRACT)
async def test_a_query_finds_the_same_everywhere(arranged: Arranged, text: str) -> None:
    mine, theirs = await arranged.found(text)
    assert (mine, theirs) == (CONTRACT[text], CONTRACT[text])


async def test_ids_are_those_of_rows_and_units(arranged: Arranged) -> None:
    one = next(iter(arranged.ports))
    assert await arranged.found(f"id:{one}") == ([arranged.ports[one]],) * 2
    assert await arranged.found(f"unit:{arranged.units['Retail/Payments']}") == ([1, 2],) * 2
    assert await arranged.found(f"target_id:{arranged.tenant.target.id}") == ([1, 2],) * 2


TERMS: dict[str, Callable[[random.Random], str]] = {
    "severity": lambda chance: chance.choice([":", ":>", ":<="]) + chance.choice([str(each) for each in Severity]),
    "state": lambda chance: ":" + ",".join(chance.sample(["open", "fixed", "confirmed", "false_positive"], 2)),
    "port": lambda chance: chance.choice([":", ":>=", ":<"]) + str(chance.randint(0, 7)),
    "title": lambda chance: ":~" + quoted(chance.choice(["in", "SQL", "%", "*", "ü", "TLS c", "none"])),
    "tool": lambda chance: ":" + chance.choice(["nmap", "wapiti", "sqlmap,nmap"]),
    "tags": lambda chance: ":" + chance.choice(["pci", "dmz", "none"]),
    "unit": lambda chance: ":" + chance.choice(["Retail", "Retail/Payments", "none"]),
    "cwe": lambda chance: ":" + chance.choice(["79", "327", "none"]),
    "seen": lambda chance: chance.choice([":<", ":>="]) + chance.choice(["2h", "5d", "3w"]),
    "due_at": lambda _: ":none",
    "kev": lambda chance: ":" + chance.choice(["yes", "no"]),
}
WORDS = ["sql", "injection", "-blind", "in", '"sql injection"', "192.0.2.7", "pr*", "b"]


async def test_queries_made_at_random_find_the_same_everywhere(arranged: Arranged) -> None:
    chance = random.Random(11)  # noqa: S311 - queries to test with, not a secret
    some = 0
    for _ in range(150):
        names = chance.sample(sorted(TERMS), chance.randint(0, 3))
        terms = [f"{chance.choice(['', '-'])}{name}{TERMS[name](chance)}" for name in names]
        text = " ".join([*terms, *chance.sample(WORDS, chance.randint(0, 1))])
        mine, theirs = await arranged.found(text)
        assert mine == theirs, text
        some += bool(mine)
    assert some > 40


@pytest.mark.parametrize("text", ["", "severity:>=low", "injection", "unit:Retail", "tool:wapiti -kev:yes"])
async def test_both_count_the_same_by_facet(arranged: Arranged, text: str) -> None:
    mine, theirs = await arranged.both(text, limit=0, facets=dict(INDEX.facets))
    assert mine.ids == theirs.ids == ()
    assert {name: list(each.items()) for name, each in mine.counts.items()} == {
        name: list(each.items()) for name, each in theirs.counts.items()
    }
    assert (mine.total, mine.bounded) == (theirs.total, theirs.bounded)


async def test_facets_are_what_they_say_and_no_more_than_asked_for(arranged: Arranged) -> None:
    for hits in await arranged.both("", facets={"tool": 2, "tags": 9, "kev": 9, "weakness": 9, "unit": 9}):
        assert list(hits.counts["tool"].items()) == [("wapiti", 4), ("nmap", 2)]
        assert list(hits.counts["tags"].items()) == [("pci", 4), ("Größe", 2), ("dmz", 2)]
        assert hits.counts["kev"] == {"no": 5, "yes": 1}
        assert hits.counts["weakness"] == {"tls-cipher-weak": 3, "sql-injection": 2, "": 1}
        assert hits.counts["unit"] == {
            str(arranged.units["Retail"]): 2,
            str(arranged.units["Retail/Payments"]): 2,
        }


async def test_without_words_the_highest_risk_comes_first_and_a_title_weighs_more(arranged: Arranged) -> None:
    mine, theirs = await arranged.both("", limit=4)
    assert mine.ids == theirs.ids
    assert [arranged.ports[one] % 3 for one in mine.ids] == [2, 2, 1, 1]
    assert (mine.total, theirs.total) == (6, 6)
    _, theirs = await arranged.both("parameter* OR*")
    assert theirs.ids == ()


@pytest.mark.parametrize("text", ["colour:red", "tool:~nmap", "tags:>a", "severity:huge", "seen:<999999w", "cwe:>1"])
async def test_what_makes_no_sense_is_refused_before_anybody_is_asked(arranged: Arranged, text: str) -> None:
    with pytest.raises(InvalidInputError):
        await arranged.both(text)
