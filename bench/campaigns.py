"""Measures 1 and 10: what a campaign takes beside its tools, and how soon its first tool runs."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench import bare
from bench.house import House, house, process, until
from bench.measures import Measure, measure, median, quantile

STEPS = 12
SECONDS = 2.0
ROUNDS, STARTS = 10, 10
"""Rounds of so many campaigns, and as many bare workflows in between."""
AFTER = ("control", "analysis", "ai", "report", "notify")


class Client:
    """Of the API, as a user has one."""

    def __init__(self, place: House) -> None:
        token = place.token()
        self._http = httpx.Client(
            base_url=f"{place.url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=False,
        )

    def call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """The answer.

        Raises:
            RuntimeError: a refusal.
        """
        answer = self._http.request(method, path, json=body or None)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json()
        return found

    def prepare(self, targets: int) -> dict[str, Any]:
        """A request for a campaign on so many targets."""
        contract = self.call(
            "POST",
            "/authorisations",
            name="bench",
            signed_by="bench",
            include=["127.0.0.0/8"],
            valid_until=(datetime.now(UTC) + timedelta(hours=12)).isoformat(),
            max_intrusiveness="safe",
        )
        ids = [self.call("POST", "/targets", value=f"127.77.0.{n + 1}")["id"] for n in range(targets)]
        return {"profile": "paced", "target_ids": ids, "authorisation_id": contract["id"]}

    def ended(self, campaign: dict[str, Any]) -> dict[str, Any]:
        """It, once it ended."""
        path = f"/campaigns/{campaign['id']}"
        until(lambda: self.call("GET", path)["ended_at"], 300, "the campaign ends", 0.1)
        return self.call("GET", path)


def overhead(client: Client, request: dict[str, Any]) -> Measure:
    """Measure 1; a first campaign of one short step warms what is warm in a house that is lived in."""
    client.ended(client.call("POST", "/campaigns", **request | {"target_ids": request["target_ids"][:1]}))
    options = {"paced": {"seconds": SECONDS}}
    ended = client.ended(client.call("POST", "/campaigns", **request, options=options))
    if ended["state"] != "completed":
        raise RuntimeError(f"the campaign ended {ended['state']}: {ended['reason']}")
    wall = (_moment(ended["ended_at"]) - _moment(ended["created_at"])).total_seconds()
    tools = STEPS * SECONDS
    return measure(
        f"1 campaign of {STEPS} steps, one after the other, to its report",
        wall,
        "s",
        ("its tools alone", tools),
        "at most 1.02, or 1.5 s over",
        lambda value, ratio: ratio <= 1.02 or value - tools <= 1.5,
    )


def first_tool(client: Client, request: dict[str, Any], address: str) -> list[Measure]:
    """Measure 10: in turn with bare workflows, for a machine's speed drifts."""
    ours: list[float] = []
    theirs: list[float] = []
    body = request | {"target_ids": request["target_ids"][:1]}
    for turn in range(ROUNDS + 1):
        campaigns = asyncio.run(bare.start(address, STARTS))
        starts = [_start(client, body) for _ in range(STARTS)]
        if turn:  # the first warms both
            theirs += campaigns
            ours += starts
    beside = "a bare workflow of one activity"
    return [
        measure(
            "10 POST to first tool started, p50",
            median(ours),
            "s",
            (beside, median(theirs)),
            "at most 1.3 times",
            lambda _, ratio: ratio <= 1.3,
        ),
        measure(
            "10 POST to first tool started, p99",
            quantile(ours, 0.99),
            "s",
            (beside, quantile(theirs, 0.99)),
            "at most 1 s",
            lambda value, _: value <= 1,
        ),
    ]


def _start(client: Client, body: dict[str, Any]) -> float:
    before = datetime.now(UTC)
    campaign = client.call("POST", "/campaigns", **body)
    path = f"/scans?filter=campaign_id:{campaign['id']}"
    found: list[dict[str, Any]] = []

    def done() -> bool:
        found[:] = client.call("GET", path)["items"]
        return bool(found) and found[0]["state"] == "complete"

    until(done, 60, "the tool ran", 0.05)
    # what it does after its tool must not weigh on the next one
    until(lambda: _rests(client, campaign), 60, "the campaign waits for its analysis", 0.05)
    return (_moment(found[0]["started_at"]) - before).total_seconds()


def _rests(client: Client, campaign: dict[str, Any]) -> bool:
    progress = client.call("GET", f"/campaigns/{campaign['id']}")["progress"]
    return bool(progress and progress["phase"] == "analysis")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def run(*, full: bool) -> Iterator[Measure]:  # noqa: ARG001 - every group has it
    """Measures 1 and 10."""
    with (
        tempfile.TemporaryDirectory(prefix="purple-bench-") as scratch,
        house(Path(scratch)) as place,
        place.api(),
        place.workers("recon", "scan"),
    ):
        client = Client(place)
        request = client.prepare(STEPS)
        with place.workers(*AFTER):
            yield overhead(client, request)
        address = place.servers.temporal_address
        bench = {"PYTHONPATH": place.environment["PYTHONPATH"]}
        # without the later steps a campaign rests after its tools, so that its report does not weigh on the next
        with place.workers("control"), process(["-m", "bench.bare", "worker", address], bench, place.folder):
            yield from first_tool(client, request, address)
