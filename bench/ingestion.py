"""Measures 2 and 3: from a file to committed rows, and the same flaws once more, beside PostgreSQL's bare COPY.

Of several rounds the best counts, on both sides: goals are for an idle machine, and whoever else runs on it, such as
another guest on the same cores, can only add to what a round takes
(https://docs.python.org/3/library/timeit.html#timeit.Timer.repeat).
"""

import asyncio
import math
import os
import tempfile
import time
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import nmap_xml, sarif_json
from bench.database import Tenant, tenant
from bench.measures import Measure, measure
from purple.db.outbox import libpq_url
from purple.domain.campaigns import Scan
from purple.stack.servers import Servers, running_servers

ROUNDS = {10_000: 15, 100_000: 5, 1_000_000: 1}
SCAN = 100_000
"""Observations of one scan; a million are those of ten."""
FLAWS = 14_000
REIMPORTS = 15
_COPY = "COPY {0} FROM STDIN (FORMAT text)"
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Bare:
    """The same rows by nothing but COPY, into a table with the same columns, key and indexes."""

    connection: psycopg.Connection[tuple[object, ...]]

    def cpu(self) -> float:
        """Seconds of every process of PostgreSQL so far, and of this one."""
        pids = [row[0] for row in self.connection.execute("SELECT pid FROM pg_stat_activity")]
        return time.process_time() + sum(_cpu_of(pid) for pid in pids)

    def rows(self, scans: list[Scan]) -> bytes:
        """What a campaign recorded, as COPY writes it."""
        ids = ", ".join(f"'{scan.id}'" for scan in scans)
        wanted = f"COPY (SELECT * FROM observations WHERE scan_id IN ({ids})) TO STDOUT"  # noqa: S608 - ids of our own
        with self.connection.cursor().copy(wanted) as out:
            return b"".join(map(bytes, out))

    def make(self, table: str, like: str = "observations") -> None:
        """A twin of a table, without its rights and foreign keys."""
        self.connection.execute(f"CREATE TABLE {table} (LIKE {like} INCLUDING ALL)")

    def load(self, table: str, rows: bytes) -> None:
        """Committed."""
        with self.connection.cursor() as cursor, cursor.copy(_COPY.format(table)) as copy:
            for at in range(0, len(rows), _CHUNK):
                copy.write(rows[at : at + _CHUNK])

    def load_unknown(self, rows: bytes) -> None:
        """Into a table of nothing, then only those whose flaw is not known: none."""
        with self.connection.transaction():
            self.connection.execute("CREATE TEMPORARY TABLE again (LIKE observations) ON COMMIT DROP")
            self.load("again", rows)
            self.connection.execute(
                "INSERT INTO known SELECT * FROM again WHERE NOT EXISTS "
                "(SELECT 1 FROM known WHERE (known.organisation_id, known.fingerprint) = "
                "(again.organisation_id, again.fingerprint))"
            )

    def keep(self, rows: bytes, scan: Scan) -> None:
        """All that is kept of what a scan saw again: a row of each in twins of observations and sightings."""
        with self.connection.transaction():
            self.load("twin", rows)
            self.connection.execute(
                "INSERT INTO seen SELECT * FROM sightings WHERE scan_id = %s ORDER BY vulnerability_id", (scan.id,)
            )


def _cpu_of(pid: object) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ingestion(folder: Path, sizes: tuple[int, ...]) -> Iterator[Measure]:
    """Measure 2, and then 3 in the same database."""
    with (
        running_servers(None, {"postgres"}) as servers,
        psycopg.connect(libpq_url(servers.admin_url), autocommit=True) as connection,
    ):
        yield from asyncio.run(_both(servers, Bare(connection), folder, sizes))


async def _both(servers: Servers, bare: Bare, folder: Path, sizes: tuple[int, ...]) -> list[Measure]:
    async with tenant(servers, folder) as one:
        bare.make("twin")
        return [
            *await _files(one, bare, folder, sizes, "nmap"),
            *await _files(one, bare, folder, tuple(size for size in sizes if size <= SCAN), "sarif"),
            *await _again(one, bare, folder),
        ]


async def _files(one: Tenant, bare: Bare, folder: Path, sizes: tuple[int, ...], tool: str) -> list[Measure]:
    found: list[Measure] = []
    took: list[tuple[int, float]] = []
    for size in sizes:
        ours, copied = await _file(one, bare, folder, size, tool)
        took.append((size, ours.wall))
        name = f"2 {tool} file of {size} observations to committed rows"
        twin = "bare COPY, one table with the same indexes"
        goal = "at least 0.5 of COPY and 20,000 rows/s"
        found += [
            measure(
                name,
                size / ours.wall,
                "rows/s",
                (twin, size / copied.wall),
                goal,
                lambda v, r: r >= 0.5 and v >= 20_000,
            ),
            measure(
                f"{name}, CPU of both sides", ours.cpu / size * 1e6, "µs/row", (twin, copied.cpu / size * 1e6), "-"
            ),
        ]
    (first, short), (last, long) = took[0], took[-1]
    exponent = math.log(long / short) / math.log(last / first)
    name = f"2 growth exponent from {first} to {last}, {tool}"
    return [*found, measure(name, exponent, "", ("linear", 1.0), "at most 1.10", lambda value, _: value <= 1.1)]


@dataclass(frozen=True)
class Spent:
    """Seconds."""

    wall: float
    cpu: float


async def _file(one: Tenant, bare: Bare, folder: Path, size: int, tool: str) -> tuple[Spent, Spent]:
    """What ours and COPY take, in turn: a machine's speed drifts."""
    path = folder / f"{size}.{tool}"
    parts = max(1, size // SCAN)
    options = {}
    if tool == "sarif":
        await asyncio.to_thread(sarif_json.write, path, size // parts)
        options = {"artifact": await one.objects.put_file(path)}
    else:
        await asyncio.to_thread(nmap_xml.write, path, size // parts // 10, 9)  # a host is one beside its ports

    async def ours(scans: list[Scan]) -> None:
        for scan in scans:
            await one.record(scan, path, size // parts)

    spent: tuple[list[Spent], list[Spent]] = ([], [])
    for _ in range(ROUNDS[size]):
        scans = [await one.scan(tool, options) for _ in range(parts)]
        spent[0].append(await _spent(bare, ours(scans)))
        rows = await asyncio.to_thread(bare.rows, scans)
        spent[1].append(await _spent(bare, asyncio.to_thread(bare.load, "twin", rows)))
    path.unlink(missing_ok=True)
    mine, theirs = (min(each, key=lambda e: e.wall) for each in spent)
    return mine, theirs


async def _spent(bare: Bare, work: Awaitable[None]) -> Spent:
    before, began = bare.cpu(), time.perf_counter()
    await work
    return Spent(time.perf_counter() - began, bare.cpu() - before)


async def _again(one: Tenant, bare: Bare, folder: Path) -> list[Measure]:
    path = folder / "flaws.xml"
    expected = await asyncio.to_thread(nmap_xml.write_flaws, path, FLAWS)
    first = await one.scan("nmap")
    await one.record(first, path, expected)
    merged = await one.analysis.analyse(one.ref(first))
    if merged.found != FLAWS:
        raise RuntimeError(f"{merged.found} of {FLAWS} flaws were found")
    before = _versions(bare)
    rows = bare.rows([first])
    bare.make("known")
    bare.load("known", rows)
    bare.make("seen", "sightings")
    ours, copied, kept = [], [], []
    for _ in range(REIMPORTS):
        scan = await one.scan("nmap")
        began = time.perf_counter()
        await one.record(scan, path, expected)
        merged = await one.analysis.analyse(one.ref(scan))
        ours.append(time.perf_counter() - began)
        if (merged.found, merged.sightings) != (0, FLAWS):
            raise RuntimeError(f"an unchanged file brought {merged}")
        began = time.perf_counter()
        await asyncio.to_thread(bare.load_unknown, rows)
        copied.append(time.perf_counter() - began)
        again = bare.rows([scan])
        began = time.perf_counter()
        await asyncio.to_thread(bare.keep, again, scan)
        kept.append(time.perf_counter() - began)
    rewritten = len(before.symmetric_difference(_versions(bare))) // 2
    return [
        measure(
            f"3 re-import of {FLAWS} unchanged findings",
            min(ours),
            "s",
            ("bare COPY and anti-join", min(copied)),
            "at most 0.5 s",
            lambda value, _: value <= 0.5,
        ),
        measure(
            f"3 the rows that are kept of {FLAWS} again, by PostgreSQL alone",
            min(kept),
            "s",
            ("bare COPY and anti-join, which keeps none", min(copied)),
            "-",
        ),
        measure(
            "3 vulnerabilities rewritten by it", rewritten, "rows", ("none", 0), "none", lambda value, _: value == 0
        ),
    ]


def _versions(bare: Bare) -> set[tuple[object, ...]]:
    """Each row's place and writer: a row that is rewritten has others."""
    return set(bare.connection.execute("SELECT id, ctid::text, xmin::text, version FROM vulnerabilities").fetchall())


def run(*, full: bool) -> Iterator[Measure]:
    """Measures 2 and 3."""
    with tempfile.TemporaryDirectory(prefix="purple-bench-") as scratch:
        yield from ingestion(Path(scratch), (10_000, 100_000, *((1_000_000,) if full else ())))
