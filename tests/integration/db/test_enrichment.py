"""Publications into the database: from a server on loopback and from a folder, whole or not at all."""

import gzip
import hashlib
import http.server
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from purple.db.engine import open_engine
from purple.db.outbox import libpq_url
from purple.db.shelf import SqlShelf
from purple.domain.enrichment import Brought, Dataset
from purple.domain.errors import (
    ConflictError,
    InvalidInputError,
    OutOfScopeError,
    ParseError,
    PurpleError,
    UnavailableError,
)
from purple.enrichment import PUBLISHED, SHIPPED, Outlet
from purple.services.enriching import Enriching, Publications
from purple.toolkit.world import SystemResolver
from tests.integration.db.conftest import Quiet

LOOPBACK = ("127.0.0.0/8",)
ONE, TWO = "CVE-2026-10001", "CVE-2026-10002"


@dataclass
class Now:
    """An hour at a time."""

    hours: int = 0

    def now(self) -> datetime:
        return datetime(2026, 11, 29, tzinfo=UTC) + timedelta(hours=self.hours)


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, bytes | str]]:
    """A server on loopback: a path's bytes, or where it sends one on; its own address is at `""`."""
    files: dict[str, bytes | str] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = files.get(self.path)
            self.send_response(404 if found is None else 302 if isinstance(found, str) else 200)
            if isinstance(found, str):
                self.send_header("location", found)
            body = found if isinstance(found, bytes) else b""
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    files[""] = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield files
    server.shutdown()
    server.server_close()


@pytest.fixture
async def shelf(quiet: Quiet) -> AsyncIterator[SqlShelf]:
    """An empty one."""
    with psycopg.connect(libpq_url(quiet.admin_url), autocommit=True) as admin:
        admin.execute("TRUNCATE reference_facts, reference_editions")
    engine = open_engine(quiet.relay_url)
    yield SqlShelf(engine)
    await engine.dispose()


def enriching(shelf: SqlShelf, clock: Now, url: str = "", allow: tuple[str, ...] = LOOPBACK, mb: int = 1) -> Enriching:
    """With publications that may be as small as those of tests."""
    small = {name: replace(each, least=1) for name, each in PUBLISHED.items()}
    outlets = {name: Outlet(each, SystemResolver(), clock, allow, mb, url) for name, each in small.items()}
    return Enriching(shelf, outlets, clock, SHIPPED)


def updating(made: Enriching) -> Callable[..., Awaitable[tuple[Brought, ...]]]:
    """What brings in datasets, and fails where one of them does."""

    async def update(datasets: Sequence[Dataset], folder: Path | None = None) -> tuple[Brought, ...]:
        came = [each async for _, each in made.update(datasets, folder)]
        for each in came:
            if isinstance(each, PurpleError):
                raise each
        return tuple(each for each in came if isinstance(each, Brought))

    return update


def kev(*keys: str, day: int = 28, **more: object) -> bytes:
    entries = [{"cveID": key, "dateAdded": "2026-11-01"} for key in keys]
    head = {"catalogVersion": f"2026.11.{day}", "dateReleased": f"2026-11-{day}T00:00:00Z", "count": len(keys)}
    return json.dumps(head | {"vulnerabilities": entries} | more).encode()


async def test_an_edition_is_brought_in_and_only_what_differs_is_changed(shelf, served, quiet_tenant) -> None:
    clock = Now()
    update = updating(enriching(shelf, clock, f"{served['']}/moved"))
    served |= {"/moved": "/kev.json", "/kev.json": gzip.compress(kev(ONE, TWO), mtime=0)}
    (first,) = await update([Dataset.KEV])
    assert (first.added, first.changed, first.removed, first.edition.facts) == (2, 0, 0, 2)
    assert first.edition.sha256 == hashlib.sha256(served["/kev.json"]).hexdigest()
    clock.hours = 5
    (same,) = await update([Dataset.KEV])
    assert (same.moved, same.edition.revision, same.edition.brought_at) == (0, 1, clock.now())
    served["/kev.json"] = kev(TWO, "CVE-2026-10003", day=29)
    (second,) = await update([Dataset.KEV])
    assert (second.added, second.changed, second.removed, second.edition.revision) == (1, 0, 1, 2)
    async with quiet_tenant.work(quiet_tenant.id) as uow:
        known = await uow.library.facts([Dataset.KEV, Dataset.EPSS], [ONE, TWO])
    assert known == {
        Dataset.KEV: {TWO: {"name": "", "added": "2026-11-01", "due": "", "ransomware": False}},
        Dataset.EPSS: {},
    }
    kept = {each.dataset: each.age for each in await Publications(quiet_tenant.work, clock).kept(quiet_tenant.id)}
    assert (kept[Dataset.KEV], kept[Dataset.EPSS]) == ("of today", "not there")
    clock.hours = 50
    kept = {each.dataset: each.age for each in await Publications(quiet_tenant.work, clock).kept(quiet_tenant.id)}
    assert kept[Dataset.KEV] == "2 days old"


async def test_what_is_not_the_whole_changes_nothing(shelf, tmp_path) -> None:
    update = updating(enriching(shelf, Now()))
    file = tmp_path / "known_exploited_vulnerabilities.json"
    keys = [f"CVE-2026-{number}" for number in range(20_000, 20_010)]
    file.write_bytes(kev(*keys))
    await update(list(Dataset), tmp_path)
    before = await shelf.editions()
    for damaged, refused in (
        (kev(*keys, day=29)[:-30], ParseError),
        (kev(*keys, day=29, count=99), InvalidInputError),
        (kev(*keys[:3], day=29), ConflictError),
        (kev(*keys, "CVE-2026-30000", day=27), ConflictError),
    ):
        file.write_bytes(damaged)
        with pytest.raises(refused):
            await update([Dataset.KEV], tmp_path)
    assert await shelf.editions() == before
    file.unlink()
    with pytest.raises(InvalidInputError, match="none of these"):
        await update(list(Dataset), tmp_path)


async def test_one_that_fails_leaves_the_others_alone(shelf, tmp_path) -> None:
    (tmp_path / "known_exploited_vulnerabilities.json").write_bytes(kev(ONE)[:-30])
    (tmp_path / "epss_scores-2026-11-28.csv.gz").write_bytes(
        gzip.compress(f"cve,epss,percentile\n{ONE},0.5,0.5\n".encode())
    )
    came = [each async for each in enriching(shelf, Now()).update(list(Dataset), tmp_path)]
    assert [(dataset, type(each)) for dataset, each in came] == [(Dataset.KEV, ParseError), (Dataset.EPSS, Brought)]
    assert [each.dataset for each in await shelf.editions()] == [Dataset.EPSS]


async def test_a_checksum_of_the_publisher_is_held(shelf, tmp_path) -> None:
    update = updating(enriching(shelf, Now()))
    records = {"totalResults": 1, "vulnerabilities": [{"cve": {"id": ONE}}]}
    plain = json.dumps(records).encode()
    (tmp_path / "nvdcve-2.0-2026.json.gz").write_bytes(gzip.compress(plain))
    meta = tmp_path / "nvdcve-2.0-2026.meta"
    meta.write_text("size:1\r\nsha256:0123\r\n")
    with pytest.raises(InvalidInputError, match=r"not what its \.meta says"):
        await update([Dataset.CVE], tmp_path)
    meta.write_text(f"size:1\r\nsha256:{hashlib.sha256(plain).hexdigest().upper()}\r\n")
    (tmp_path / "nvdcve-2.0-2025.json").write_bytes(plain.replace(ONE.encode(), TWO.encode()))
    (brought,) = await update([Dataset.CVE], tmp_path)
    assert (brought.added, brought.edition.source) == (2, "nvdcve-2.0-2025.json, nvdcve-2.0-2026.json.gz")


async def test_downloads_are_guarded_and_limited(shelf, served) -> None:
    clock = Now()
    with pytest.raises(OutOfScopeError, match="loopback"):
        await updating(enriching(shelf, clock, f"{served['']}/kev.json", allow=()))([Dataset.KEV])
    served |= {"/out": "http://169.254.169.254/", "/round": "/round", "/large": b"x" * (1024**2 + 1)}
    for path, refused in (
        ("/out", OutOfScopeError),
        ("/round", UnavailableError),
        ("/nothing", UnavailableError),
        ("/large", InvalidInputError),
    ):
        with pytest.raises(refused):
            await updating(enriching(shelf, clock, f"{served['']}{path}"))([Dataset.KEV])
    with pytest.raises(UnavailableError, match="cannot be had: ConnectError"):
        await updating(enriching(shelf, clock, "http://127.0.0.1:1/"))([Dataset.KEV])


async def test_the_relay_ships_once_and_brings_in_what_is_due(shelf, served, caplog) -> None:
    clock = Now()
    served["/daily"] = kev(ONE)
    keep = enriching(shelf, clock, f"{served['']}/daily").keep
    await keep(timedelta(0))
    assert {each.dataset: each.version for each in await shelf.editions()} == {Dataset.CWE: "4.15"}
    await keep(timedelta(hours=12))
    served["/daily"] = f"cve,epss,percentile\n{ONE},0.5,0.5\n".encode()
    await keep(timedelta(hours=12))
    assert Dataset.EPSS not in {each.dataset for each in await shelf.editions()}, "whoever failed is left alone a while"
    clock.hours = 1
    await keep(timedelta(hours=12))
    assert Dataset.EPSS in {each.dataset for each in await shelf.editions()}
    served["/daily"] = kev(ONE, TWO, day=29)
    clock.hours = 11
    await keep(timedelta(hours=12))
    known = {each.dataset: each for each in await shelf.editions()}
    assert (known[Dataset.KEV].facts, known[Dataset.EPSS].facts) == (1, 1)
    clock.hours = 12
    await keep(timedelta(hours=12))
    known = {each.dataset: each for each in await shelf.editions()}
    assert (known[Dataset.KEV].facts, known[Dataset.CWE].revision) == (2, 1)


def test_the_application_only_reads_it(quiet) -> None:
    for table in ("reference_facts", "reference_editions"):
        with (
            psycopg.connect(libpq_url(quiet.database_url)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"UPDATE {table} SET revision = 0")  # noqa: S608 - our own table names


def test_every_publication_has_its_files_and_its_place() -> None:
    assert set(PUBLISHED) == set(Dataset)
    assert all(url.startswith("https://") for each in PUBLISHED.values() for url in each.urls)
    assert Path(SHIPPED).is_dir()
