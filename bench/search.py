"""Measure 14: how fast the index follows the database, beside a bare bulk; and facets over many documents."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
from elasticsearch import AsyncElasticsearch

from bench.depth import Depth
from bench.house import House, house
from bench.measures import Measure, measure, median, quantile
from bench.overview import first_page
from purple.bootstrap import Container
from purple.db.outbox import libpq_url
from purple.domain.life import MAX_AT_ONCE, Chosen
from purple.domain.life import Wanted as Change
from purple.domain.pages import Query
from purple.domain.queries import parse_query
from purple.domain.search import VULNERABILITIES, Document
from purple.domain.search import Wanted as Sought
from purple.domain.vulnerabilities import VulnerabilityState
from purple.observability.runtime import set_apart
from purple.search.elastic import alias_of, connected
from purple.services.feeding import ROWS
from purple.services.identity import ADMINISTRATOR, FIRST_ORGANISATION
from purple.services.searching import ALL
from purple.settings import Settings

ROUNDS = 3
SMALL, SYNCED, LARGE = 10_000, 50_000, 1_000_000
CHANGES = 100
ASKED = 30
FIRST, AGAIN = "first after a change", "asked again"
LOOK_S = 0.005
_TRIAGED = VulnerabilityState.TRIAGED


@asynccontextmanager
async def contained(place: House) -> AsyncIterator[Container]:
    """The product's own parts, told what its processes are."""
    os.environ.update(place.environment)
    made = Container(Settings(_env_file=None))
    try:
        yield made
    finally:
        await made.close()


async def documents(container: Container) -> list[Document]:
    """All of them, as they are indexed."""
    found: list[Document] = []
    after: UUID | None = None
    while True:
        async with container.work(FIRST_ORGANISATION) as uow:
            ids = await uow.documents.ids(VULNERABILITIES, after, ROWS)
            found += await uow.documents.some(VULNERABILITIES, ids)
        if len(ids) < ROWS:
            return found
        after = ids[-1]


async def bare(client: AsyncElasticsearch, told: Sequence[Document]) -> float:
    """Seconds of a bulk of the same documents with the same mappings, written beforehand and sent one by one."""
    known: Any = (await client.indices.get(index=alias_of(VULNERABILITIES))).body
    (present,) = known.values()
    name = f"bare-{uuid4().hex[:8]}"
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    await client.indices.create(index=name, mappings=present["mappings"], settings=settings)
    lines = [(orjson.dumps({"index": {"_id": each["id"]}}), orjson.dumps(each)) for each in told]
    parts = [[line for pair in lines[at : at + ROWS] for line in pair] for at in range(0, len(lines), ROWS)]
    began = time.perf_counter()
    for part in parts:
        done = await client.bulk(index=name, operations=part)  # type: ignore[arg-type]  # as the index does
        if done["errors"]:
            raise RuntimeError("a bare bulk is refused")
    await client.indices.refresh(index=name)
    took = time.perf_counter() - began
    await client.indices.delete(index=name)
    return took


async def rates(container: Container, client: AsyncElasticsearch) -> tuple[float, float]:
    """Documents a second, ours from the database on and the bare bulk's, in turns; the medians."""
    told = await documents(container)
    set_apart()  # what the measure itself holds is not the feed's to read
    ours, theirs = [], []
    for turn in range(ROUNDS + 1):
        began = time.perf_counter()
        copied = await container.indexing[VULNERABILITIES].rebuild(lambda _: None)
        took = time.perf_counter() - began
        if copied != len(told):
            raise RuntimeError(f"{copied} of {len(told)} documents were copied")
        plain = await bare(client, told)
        if turn:  # the first warms
            ours.append(len(told) / took)
            theirs.append(len(told) / plain)
    return median(ours), median(theirs)


async def lags(container: Container) -> list[float]:
    """Seconds from each of some commits until the relay has it found, one after the other; it leads by the first."""
    async with container.work(FIRST_ORGANISATION) as uow:
        ids = await uow.documents.ids(VULNERABILITIES, None, CHANGES + 1)
    took = []
    for one in ids:
        await container.life.edit(one, 1, Change(owner=ADMINISTRATOR.username), ADMINISTRATOR)
        took.append(await _until(container, f"id:{one} owner:{ADMINISTRATOR.username}", 1))
    return took[1:]


async def burst(container: Container) -> float:
    """Seconds from a commit of very many changes until all of them are found."""
    chosen = Chosen(query=Query(filter=f"owner:none port:<={MAX_AT_ONCE}"))
    done = await container.mass_triage.apply(chosen, Change(state=_TRIAGED, why="bench"), ADMINISTRATOR)
    return await _until(container, f"state:{_TRIAGED}", done.changed)


async def _until(container: Container, text: str, count: int) -> float:
    began = time.perf_counter()
    terms = container.indices[VULNERABILITIES].fields.conditions(parse_query(text).terms)
    while (await container.searches[VULNERABILITIES].find(FIRST_ORGANISATION, Sought(terms))).total < count:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(LOOK_S)
    return time.perf_counter() - began


async def facets(container: Container, client: AsyncElasticsearch | None = None) -> float:
    """Milliseconds of a search with every facet; the median. With a client no count is in a cache."""
    took = []
    for _ in range(ASKED):
        if client is not None:
            await client.indices.clear_cache(index=alias_of(VULNERABILITIES), request=True)
        began = time.perf_counter()
        found = await container.searching.search(FIRST_ORGANISATION, "state:open", 50, [ALL])
        took.append(1_000 * (time.perf_counter() - began))
        if found.note or len(found.items) != 50:
            raise RuntimeError(f"the search is not whole: {found.note}")
    return median(took)


def run(*, full: bool) -> Iterator[Measure]:
    """Fifty thousand vulnerabilities are indexed; where all is asked for facets are over ten thousand and a million."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="purple-bench-")))
        place = stack.enter_context(house(folder, "elasticsearch"))
        if place.servers.absent:
            raise RuntimeError(f"there is no Elasticsearch here: {place.servers.absent}")
        database = stack.enter_context(psycopg.connect(libpq_url(place.servers.admin_url), autocommit=True))
        place.token()  # the organisation is there
        depth = Depth(database)
        runner = stack.enter_context(asyncio.Runner())
        stack.enter_context(place.api())
        counted: dict[tuple[str, int], float] = {}
        dashboard: dict[int, float] = {}
        for rows in (SMALL, SYNCED, LARGE) if full else (SYNCED,):
            depth.fill(rows)
            if rows == SYNCED:
                yield from runner.run(_followed(place))
                continue
            plain = ("the plain query of its ids, median", depth.bare())
            dashboard[rows], plainly = runner.run(_looked_at(place)), depth.bare()
            name = f"dashboard: the console's first page over {rows:,}"
            yield measure(name, dashboard[rows], "ms", ("the plain query of a list's ids, median", plainly), "told")
            for when, took in runner.run(_counted(place)).items():
                counted[when, rows] = took
                yield measure(f"facets: a search with all of them over {rows:,}, {when}", took, "ms", plain, "told")
        if full:
            yield measure(
                f"dashboard over {LARGE:,}",
                dashboard[LARGE],
                "ms",
                (f"over {SMALL:,}", dashboard[SMALL]),
                "below 2 times",
                lambda _, ratio: ratio < 2,
            )
        for when in (FIRST, AGAIN) if full else ():
            yield measure(
                f"facets over {LARGE:,}, {when}",
                counted[when, LARGE],
                "ms",
                (f"over {SMALL:,}", counted[when, SMALL]),
                "below 2 times",
                lambda _, ratio: ratio < 2,
            )


async def _followed(place: House) -> list[Measure]:
    async with contained(place) as container:
        client = connected(container.settings.search)
        ours, theirs = await rates(container, client)
        await client.close()
        with place.workers("relay"):
            waited = await lags(container)
            many = await burst(container)
    return [
        measure(
            f"14 search synchronisation, {SYNCED:,} documents from the database",
            ours,
            "documents/s",
            ("raw bulk of the same", theirs),
            "at least 70 %",
            lambda _, ratio: ratio >= 0.7,
        ),
        measure(
            "14 search lag, commit to found, p99",
            quantile(waited, 0.99),
            "s",
            ("its median", median(waited)),
            "at most 2 s",
            lambda value, _: value <= 2,
        ),
        measure("14 search lag, 5,000 changes in one commit until all are found", many, "s", ("-", 0.0), "told"),
    ]


async def _looked_at(place: House) -> float:
    async with contained(place) as container:
        return await first_page(place, container)


async def _counted(place: House) -> dict[str, float]:
    async with contained(place) as container:
        client = connected(container.settings.search)
        await container.indexing[VULNERABILITIES].rebuild(lambda _: None)
        await facets(container)  # warm
        took = {FIRST: await facets(container, client), AGAIN: await facets(container)}
        await client.close()
        return took
