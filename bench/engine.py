"""Measure 11: many campaigns at once and one over thousands of targets, beside bare workflows of the same shape.

The tool does nothing and no process is run for it, so that what is measured is the engine: the database work of each
scan stays in. What a process costs is told apart, with a tool that ends at once.
"""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
from temporalio.api.common.v1 import Payload
from temporalio.client import Client as Temporal

from bench import bare
from bench.campaigns import Client
from bench.house import HERE, House, house, process
from bench.measures import Measure, measure
from bench.processes import memory
from purple.db.outbox import libpq_url
from purple.services.identity import FIRST_ORGANISATION

CAMPAIGNS, EACH = 100, 10
PARALLEL = 16
SMALL, LARGE = 1_000, 10_000
TOOLS = ("noop", *(f"noop-{number}" for number in range(2, 6)))  # each runs once on a target
COURSES = ((SMALL, TOOLS[:1]), (LARGE, TOOLS[:1]), (LARGE, TOOLS))
MAX_EVENTS, MAX_PAYLOAD_KIB = 10_240, 256
ROUNDS = 3
SHARE = 0.7

_REGISTER = """
    INSERT INTO targets (id, organisation_id, kind, value, name, criticality, tags, created_at, version)
    SELECT gen_random_uuid(), %s, 'host', host, host, 'medium', '{}', now(), 1
    FROM (SELECT '127.78.' || n / 250 || '.' || n %% 250 + 1 AS host FROM generate_series(0, %s) AS n) AS hosts
    ON CONFLICT DO NOTHING
"""
_IDS = "SELECT id FROM targets WHERE value LIKE '127.78.%%' ORDER BY id LIMIT %s"
_LEFT = "SELECT count(*) FROM scans WHERE campaign_id = ANY(%s) AND ended_at IS NULL"
_SPAN = """
    SELECT count(*), count(*) FILTER (WHERE state = 'complete'),
        extract(epoch FROM max(ended_at) - min(started_at)) FROM scans WHERE campaign_id = ANY(%s)
"""


class Bench:
    """Purple with a database to look into."""

    def __init__(self, place: House, database: "psycopg.Connection[Any]") -> None:
        self._api = Client(place)
        self._database = database
        contract = self._api.prepare(1)["authorisation_id"]
        self._database.execute(_REGISTER, (FIRST_ORGANISATION, LARGE - 1))
        self._request = {"authorisation_id": contract}

    def start(self, targets: int, profile: str, **options: Any) -> str:
        """A campaign's id."""
        ids = [str(row[0]) for row in self._database.execute(_IDS, (targets,))]
        asked = self._request | {"profile": profile, "target_ids": ids, "options": options}
        return str(self._api.call("POST", "/campaigns", **asked)["id"])

    def finished(self, campaigns: list[str], scans: int) -> float:
        """Seconds from the first tool's start to the last one's end.

        Raises:
            RuntimeError: a scan did not complete.
        """
        deadline = time.monotonic() + 60 + scans
        while True:
            total, complete, seconds = self._row(_SPAN, campaigns)
            if total == scans and not self._row(_LEFT, campaigns)[0]:
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"of {total} scans {complete} are complete")
            time.sleep(0.2)
        if complete != scans:
            raise RuntimeError(f"of {scans} scans {complete} are complete")
        return float(seconds)

    def _row(self, statement: str, campaigns: list[str]) -> tuple[Any, ...]:
        row = self._database.execute(statement, (campaigns,)).fetchone()
        if row is None:
            raise RuntimeError("a count has a row")
        return tuple(row)

    def workflow_id(self, campaign: str) -> str:
        """Of a campaign."""
        return str(self._api.call("GET", f"/campaigns/{campaign}")["workflow_id"])


def payloads(message: Any) -> Iterator[int]:
    """Sizes of all payloads in a message, however deep."""
    if isinstance(message, Payload):
        yield message.ByteSize()
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        several = value.values() if field.message_type.GetOptions().map_entry else value
        for each in several if field.is_repeated else [value]:
            if hasattr(each, "ListFields"):
                yield from payloads(each)


async def longest(address: str, workflow_id: str) -> tuple[int, int]:
    """The longest history of a campaign's runs, its children's among them, and the largest payload in KiB."""
    client = await Temporal.connect(address)
    events = size = 0
    query = f'WorkflowId = "{workflow_id}" OR WorkflowId STARTS_WITH "{workflow_id}/"'
    async for each in client.list_workflows(query):
        history = await client.get_workflow_handle(each.id, run_id=each.run_id).fetch_history()
        events = max(events, len(history.events))
        size = max(size, *(one for event in history.events for one in payloads(event)))
    return events, -(-size // 1024)


def many(bench: Bench, address: str, artifact: str) -> Measure:
    """A hundred campaigns at once, in turn with bare ones, for a machine's speed drifts."""
    ours: list[float] = []
    theirs: list[float] = []
    steps = CAMPAIGNS * EACH
    for turn in range(ROUNDS + 1):
        bare_s = asyncio.run(bare.campaigns(address, CAMPAIGNS, EACH, PARALLEL))
        started = [bench.start(EACH, "noop", noop={"artifact": artifact}) for _ in range(CAMPAIGNS)]
        ours_s = bench.finished(started, steps)
        if turn:  # the first warms both
            theirs.append(steps / bare_s)
            ours.append(steps / ours_s)
    return measure(
        f"11 steps of {CAMPAIGNS} campaigns at once",
        max(ours),
        "a second",
        ("bare workflows of the same shape", max(theirs)),
        "at least 70 %",
        lambda _, ratio: ratio >= SHARE,
    )


def several(place: House) -> None:
    """Four more tools that do nothing, and a profile of all five."""
    extra = place.folder / "several"
    for name in TOOLS[1:]:
        copy = shutil.copytree(HERE / "tools/noop", extra / "tools" / name)
        known = (copy / "tool.yaml").read_text()
        (copy / "tool.yaml").write_text(known.replace("name: noop", f"name: {name}", 1))
    profile = (HERE / "profiles/noop.yaml").read_text().replace("name: noop", "name: several", 1)
    steps = "".join(f"  - tool: {name}\n" for name in TOOLS)
    (extra / "several.yaml").write_text(profile.replace("  - tool: noop\n", steps))
    for setting, more in (("PURPLE_TOOLS__EXTRA", extra / "tools"), ("PURPLE_PROFILES__EXTRA", extra)):
        place.environment[setting] = json.dumps([*json.loads(place.environment[setting]), str(more)])


def one(place: House, bench: Bench, artifact: str, targets: int, tools: tuple[str, ...]) -> Iterator[Measure]:
    """One campaign over thousands of targets: its rate, its histories, and what its worker needs."""
    address, scans = place.servers.temporal_address, targets * len(tools)
    profile = "noop" if len(tools) == 1 else "several"
    with place.workers("control") as control:
        campaign = bench.start(targets, profile, **{name: {"artifact": artifact} for name in tools})
        seconds = bench.finished([campaign], scans)
        needed = memory(control.pid)
    alone = asyncio.run(bare.campaigns(address, 1, targets, PARALLEL))
    over = f"{targets:,} targets" if scans == targets else f"{targets:,} targets and {scans:,} scans"
    yield measure(
        f"11 steps of one campaign over {over}",
        scans / seconds,
        "a second",
        (f"a bare workflow of {targets:,}", targets / alone),
        "at least 70 %",
        lambda _, ratio: ratio >= SHARE,
    )
    events, size = asyncio.run(longest(address, bench.workflow_id(campaign)))
    yield measure(
        f"11 longest history over {over}",
        events,
        "events",
        ("Temporal's own limit", 51_200),
        f"at most {MAX_EVENTS:,}",
        lambda value, _: value <= MAX_EVENTS,
    )
    yield measure(
        f"11 largest payload over {over}",
        size,
        "KiB",
        ("Temporal's own limit", 2_048),
        f"at most {MAX_PAYLOAD_KIB}",
        lambda value, _: value <= MAX_PAYLOAD_KIB,
    )
    yield measure(
        f"11 memory of the workflow worker over {over}",
        needed,
        "MiB",
        ("the limit of an idle one", 250),
        "flat",
    )


def processes(bench: Bench, artifact: str) -> Measure:
    """What a process costs: the tool that ends at once beside the one that is none."""
    none = SMALL / bench.finished([bench.start(SMALL, "noop", noop={"artifact": artifact})], SMALL)
    each = SMALL / bench.finished([bench.start(SMALL, "stepped", paced={"seconds": 0})], SMALL)
    return measure(
        "11 steps with a process that ends at once", each, "a second", ("without a process", none), "told, not judged"
    )


def put(place: House) -> str:
    """An artifact of nothing, where Purple keeps them."""
    from purple.toolkit.objects import Objects  # noqa: PLC0415 - only here

    return asyncio.run(Objects((place.folder / "data/objects").as_uri()).put(b"nothing"))


def run(*, full: bool) -> Iterator[Measure]:
    """Measure 11; five scans of each of ten thousand targets only where all is asked for."""
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="purple-bench-"))
        place = stack.enter_context(house(Path(scratch)))
        address = place.servers.temporal_address
        several(place)
        database = stack.enter_context(psycopg.connect(libpq_url(place.servers.admin_url), autocommit=True))
        stack.enter_context(place.api())
        told = {"PYTHONPATH": place.environment["PYTHONPATH"]}
        for role in ("worker", "steps"):
            stack.enter_context(process(["-m", "bench.bare", role, address], told, place.folder))
        # without the later steps a campaign rests after its tools, so that its report does not weigh on the next
        stack.enter_context(place.workers("recon"))
        bench, artifact = Bench(place, database), put(place)
        with place.workers("control"):
            yield many(bench, address, artifact)
            yield processes(bench, artifact)
        for targets, tools in COURSES if full else COURSES[:2]:
            yield from one(place, bench, artifact, targets, tools)
