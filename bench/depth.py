"""Measures 7 and 9: what is there already makes neither an import nor a page of a list slow."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from bench import nmap_xml
from bench.database import Tenant, tenant
from bench.house import House, house
from bench.measures import Measure, measure, median, quantile
from bench.paging import PAGE, counted, pages
from purple.db.outbox import libpq_url
from purple.domain.targets import Target, TargetKind
from purple.services.identity import FIRST_ORGANISATION

FINDINGS = 10_000
ROUNDS = 3
SMALL, LARGE = 100_000, 1_000_000
RATE, SECONDS = 50, 20
TARGETS = 100
_LIST = "SELECT id FROM vulnerabilities WHERE organisation_id = %s ORDER BY risk DESC, id LIMIT 100"
_SCANS = f"""
    INSERT INTO targets (id, organisation_id, kind, value, name, criticality, tags, created_at, version)
    SELECT md5('t' || n)::uuid, %(organisation)s, 'host', '198.18.0.' || n, 'host ' || n, 'medium', '{{}}', now(), 1
    FROM generate_series(1, {TARGETS}) AS n;
    INSERT INTO scans (id, organisation_id, campaign_id, target_id, key, phase, tool, host, port, url, options, state,
        attempt, observations, created_at, started_at, ended_at)
    SELECT md5('s' || n)::uuid, %(organisation)s, %(campaign)s, md5('t' || n)::uuid, 'recon:nmap:' || n, 'recon',
        'nmap', '198.18.0.' || n, 0, '', '{{}}', 'complete', 1, 0, now(), now(), now()
    FROM generate_series(1, {TARGETS}) AS n
"""  # noqa: S608 - our own numbers
_ROWS = f"""
    INSERT INTO observations (id, organisation_id, campaign_id, scan_id, target_id, tool, fingerprint, kind, rule,
        title, severity, flaw_class, weakness, host, port, url, parameter, cve, cwe, description, evidence,
        remediation, refs, confidence, detail, recorded_at)
    SELECT md5('o' || n)::uuid, %(organisation)s, %(campaign)s, md5('s' || n %% {TARGETS} + 1)::uuid,
        md5('t' || n %% {TARGETS} + 1)::uuid, 'nmap', 'f' || n, 'flaw', 'nmap:made', 'Made flaw ' || n, 'medium',
        'component', '', '198.18.0.' || n %% {TARGETS} + 1, n %% 65535 + 1, '', '', ARRAY['CVE-2026-' || n],
        ARRAY[79], repeat('What is wrong. ', 10), 'evidence', 'Mend it.', ARRAY['https://example.org/' || n], 0.9,
        '{{}}', now() - n * interval '1 second'
    FROM generate_series(%(first)s::int, %(last)s::int) AS n;
    INSERT INTO vulnerabilities (id, organisation_id, target_id, fingerprint, title, severity, state, weakness, cve,
        cwe, host, port, url, parameter, description, remediation, "references", risk, version, standing)
    SELECT md5('v' || n)::uuid, organisation_id, target_id, fingerprint, title, severity, 'open', weakness, cve, cwe,
        host, port, url, parameter, description, remediation, refs, (n::bigint * 7919) %% 101, 1, md5('d' || n)::uuid
    FROM generate_series(%(first)s::int, %(last)s::int) AS n JOIN observations ON id = md5('o' || n)::uuid;
    INSERT INTO sightings (vulnerability_id, scan_id, organisation_id, campaign_id, tool, observation_id, seen_at,
        confidence, standing)
    SELECT md5('v' || n)::uuid, scan_id, organisation_id, campaign_id, tool, id, recorded_at, 0.9, md5('d' || n)::uuid
    FROM generate_series(%(first)s::int, %(last)s::int) AS n JOIN observations ON id = md5('o' || n)::uuid;
    INSERT INTO vulnerability_counts (organisation_id, severity, number)
    SELECT %(organisation)s, 'medium', %(last)s::int - %(first)s::int + 1
"""  # noqa: S608 - our own numbers


class Depth:
    """A database that is filled in steps."""

    def __init__(self, database: "psycopg.Connection[Any]") -> None:
        self._database = database
        self._database.execute("SET session_replication_role = replica")  # what is filled in looks up nothing
        self.rows = 0
        self._told = {"organisation": FIRST_ORGANISATION, "campaign": uuid4()}

    def fill(self, rows: int) -> None:
        """So many vulnerabilities, each with a sighting and its observation."""
        if not self.rows:
            self._run(_SCANS)
        self._run(_ROWS, first=self.rows + 1, last=rows)
        self.rows = rows
        self._database.execute("VACUUM ANALYZE")
        self._database.execute("CHECKPOINT")  # what is written behind is written now

    def _run(self, statements: str, **more: int) -> None:
        for each in statements.split(";\n"):
            self._database.execute(each, self._told | more)

    def bare(self) -> float:
        """The plain query that finds a page's rows, in ms; the median."""
        took = []
        for _ in range(RATE):
            began = time.perf_counter()
            self._database.execute(_LIST, (FIRST_ORGANISATION,)).fetchall()
            took.append(time.perf_counter() - began)
        return 1_000 * median(took)


async def imports(place: House, folder: Path) -> float:
    """Seconds in which findings of a new target come in and are merged, whatever else is there; the median."""
    path = folder / "findings.xml"
    expected = await asyncio.to_thread(nmap_xml.write_flaws, path, FINDINGS)
    took = []
    async with tenant(place.servers, folder) as first:
        for turn in range(ROUNDS + 1):
            one = await _fresh(first)
            scan = await one.scan("nmap")
            began = time.perf_counter()
            await one.record(scan, path, expected)
            merged = await one.analysis.analyse(one.ref(scan))
            if turn:  # the first warms
                took.append(time.perf_counter() - began)
            if merged.found != FINDINGS:
                raise RuntimeError(f"{merged.found} of {FINDINGS} findings are new")
    return median(took)


async def _fresh(one: Tenant) -> Tenant:
    made = Target(
        uuid4(),
        one.target.organisation_id,
        TargetKind.HOST,
        one.target.value,
        "another",
        one.target.criticality,
        (),
        one.target.created_at,
    )
    made = replace(made, value=f"{made.id}.test")
    async with one.work(made.organisation_id) as uow:
        await uow.targets.add(made)
    return replace(one, target=made)


def run(*, full: bool) -> Iterator[Measure]:
    """A hundred thousand vulnerabilities, and a million where all is asked for."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="purple-bench-")))
        place = stack.enter_context(house(folder))
        database = stack.enter_context(psycopg.connect(libpq_url(place.servers.admin_url), autocommit=True))
        stack.enter_context(place.api())
        depth, token = Depth(database), place.token()
        empty = asyncio.run(imports(place, folder))
        tails = []
        for rows in (SMALL, LARGE) if full else (SMALL,):
            depth.fill(rows)
            yield measure(
                f"7 {FINDINGS:,} findings into a database of {rows:,}",
                asyncio.run(imports(place, folder)),
                "s",
                ("into an empty one", empty),
                "at most 1.3 times",
                lambda _, ratio: ratio <= 1.3,
            )
            runs = [asyncio.run(pages(place.url, token, RATE, counted(RATE * SECONDS))) for _ in range(ROUNDS)]
            tails.append(median([quantile(each, 0.99) for each in runs]))  # one hiccup of a machine is a p99
            took = [one for each in runs for one in each]
            yield measure(
                f"9 page of {PAGE} of {rows:,} at {RATE} requests/s, p99",
                tails[-1],
                "ms",
                ("the plain query of its ids, median", depth.bare()),
                "at most 50 ms",
                lambda value, _: value <= 50,
            )
            name = f"9 page of {PAGE} of {rows:,} at {RATE} requests/s, p50"
            yield measure(name, median(took), "ms", ("its p99", tails[-1]), "-")
        if full:
            yield measure(
                f"9 page of {PAGE} of {LARGE:,}, p99",
                tails[1],
                "ms",
                (f"of {SMALL:,}", tails[0]),
                "at most 1.2 times",
                lambda _, ratio: ratio <= 1.2,
            )
