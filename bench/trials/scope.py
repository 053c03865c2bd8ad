"""Trial 12: hundreds of targets in disguise, through the one place that is asked before a tool runs.

A counter, to which every address of the loopback network leads, sees no packet.
"""

import asyncio
import contextlib
import ipaddress
import random
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from bench.trials.counter import Counter, counting
from bench.trials.forms import ASIDE, DISGUISED, ipv4_forms
from bench.trials.report import Report, trial
from purple.domain.campaigns import Phase, Scan
from purple.domain.errors import InvalidInputError, OutOfScopeError
from purple.domain.ports import UnitOfWork
from purple.domain.scope import Authorisation, parse_rule
from purple.domain.targets import Address, TargetKind, address_of, recognise
from purple.domain.tools import Intrusiveness, ScanState, ToolJob, ToolProgress, ToolRun, ToolTarget
from purple.services.clearance import Clearance
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs
from purple.toolkit.world import SystemClock, TimeOrderedIds

TOOLS = Path(__file__).parents[1] / "tools"
TOOL = "paced"
"""A program is run for it, so that its address is asked for."""
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
INSIDE, OUTSIDE = "127.22.7.1", "127.22.7.2"
NAMES = {
    "app.trial.example": (INSIDE,),
    "out.trial.example": (OUTSIDE,),
    "both.trial.example": (INSIDE, OUTSIDE),
    "mapped.trial.example": (f"::ffff:{OUTSIDE}",),
    "nat64.trial.example": (f"64:ff9b::{OUTSIDE}",),
    "held.trial.example": ("2002:7f16:702::1",),
    "compatible.trial.example": (f"::{OUTSIDE}",),
    "decimal.trial.example": (str(int(ipaddress.IPv4Address(OUTSIDE))),),
    "six.trial.example": ("::1",),
    "any.trial.example": ("0.0.0.0",),  # noqa: S104 - what a hostile name may answer
    "none.trial.example": (),
}


class Answers:
    """Names of the trial, and what a lenient resolver makes of everything else."""

    async def resolve(self, name: str) -> tuple[str, ...]:
        """Its addresses."""
        if (known := name.lower().rstrip(".")) in NAMES:
            return NAMES[known]
        try:
            return (socket.inet_ntoa(socket.inet_aton(name)),)
        except OSError:
            return (INSIDE,)


class Connector:
    """The rashest of tools: it connects to whatever it is told, by address, by name and by URL."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def run(self, job: ToolJob, progress: Callable[[ToolProgress], None]) -> ToolRun:
        """Connect."""
        progress(ToolProgress(datetime.now(UTC), 0, None))
        hosts = {job.target.address, job.target.host.strip(" []"), urlsplit(job.target.url).hostname or ""}
        await asyncio.to_thread(self._connect, {self._found(host) for host in hosts if host})
        return ToolRun(ScanState.COMPLETE, "", None)

    @staticmethod
    def _found(host: str) -> str:
        return next(iter(NAMES.get(host.lower().rstrip("."), (host,))), "")

    def _connect(self, hosts: set[str]) -> None:
        for host in hosts:
            try:
                with socket.create_connection((host, self._port), timeout=1) as connection:
                    connection.sendall(b"packet\n")
                    connection.recv(8)
            except OSError:
                continue


@dataclass(frozen=True)
class Case:
    """What a contract must not allow."""

    contract: str
    target: str
    place: Address


RULES = {"not-included", "exclude", "special-range", "invalid-input"}
MANY = 500
"""Cases, among which each rule refuses some."""
CONTRACTS: dict[str, tuple[list[str], list[str]]] = {
    "one address": ([INSIDE], []),
    "all but one address": (["127.22.7.0/24"], [OUTSIDE, "127.22.7.64/26"]),
    "all but one, mapped": (["127.22.7.0/24", "::/0"], [f"::ffff:{OUTSIDE}", "::ffff:127.22.7.64/122"]),
    "names": (["*.trial.example", INSIDE], []),
    "a part of a site": (["http://app.trial.example:PORT/shop", INSIDE], []),
    "a site but a part": (["app.trial.example", INSIDE], ["http://app.trial.example:PORT/shop"]),
}
CONTROLS = {
    "one address": INSIDE,
    "all but one address": "127.22.7.9",
    "all but one, mapped": "127.22.7.10",
    "names": "app.trial.example",
    "a part of a site": "http://app.trial.example:PORT/shop/cart",
    "a site but a part": "http://app.trial.example:PORT/",
}
NO_NAMES = [
    "trial.example", "eviltrial.example", "app.trial.example.evil.example", "app.trial.example@evil.example",
    "localhost", "evil.example#.trial.example", "app.trial.example\\.evil.example", "evil.example/.trial.example",
    "a b.trial.example", "-x.trial.example", "app.trial.example:0", "*.trial.example",
]  # fmt: skip


def _written() -> Iterator[tuple[str, str]]:
    """Contract and target, as somebody hostile writes it; the contract does not allow any."""
    for host in (OUTSIDE, "127.22.7.70", "127.22.7.127"):
        for form in ipv4_forms(ipaddress.IPv4Address(host)):
            for contract in ("one address", "all but one address", "all but one, mapped"):
                yield contract, form
                yield contract, f"http://{form.strip()}:PORT/"
                yield contract, f"http://u:p@{form.strip()}:PORT/"
    yield from _written_by_name()


def _written_by_name() -> Iterator[tuple[str, str]]:
    for network in ("127.22.7.0/30", "127.22.7.2/31", "127.22.7.0/24", "0.0.0.0/0", "::ffff:127.22.7.0/120", "::/0"):
        for contract in ("one address", "all but one address", "all but one, mapped"):
            yield contract, network
    for name in [*NO_NAMES, *(each for each in NAMES if each != "app.trial.example")]:
        for form in (name, name.upper(), f"{name}.", f"http://{name}:PORT/"):
            yield "names", form
    for path in ASIDE:
        yield "a part of a site", f"http://app.trial.example:PORT{path}"
        yield "a part of a site", f"HTTP://APP.trial.example.:PORT{path}"
        yield "a part of a site", f"http://u@app.trial.example:PORT{path}"
    for start in ("https://app.trial.example:PORT", "http://app.trial.example", "http://out.trial.example:PORT"):
        yield "a part of a site", f"{start}/shop/"
    for path in ("/shop", *DISGUISED):
        yield "a site but a part", f"http://app.trial.example:PORT{path}"
        yield "a site but a part", f"http://App.Trial.Example.:PORT{path}?x=1"


def cases(port: int) -> list[Case]:
    """Each as the register would keep it, and as it would come if the register had let it pass."""
    found: dict[tuple[str, Address], Case] = {}
    for contract, text in _written():
        target = text.replace("PORT", str(port))
        places = [_raw(target)]
        with contextlib.suppress(InvalidInputError):
            places.append(address_of(*recognise(target)))
        for place in places:
            found[contract, place] = Case(contract, target, place)
    return list(found.values())


def _raw(target: str) -> Address:
    scheme, _, rest = target.partition("://")
    if not rest:
        return Address(target)
    return Address(rest.partition("/")[0].rpartition("@")[2].rpartition(":")[0], 0, f"{scheme}://{rest}")


class NoWork:
    """Nothing here touches the database."""

    def __call__(self, organisation_id: UUID) -> AbstractAsyncContextManager[UnitOfWork]:
        """Never called."""
        raise AssertionError(organisation_id)


def contract(name: str, port: int) -> Authorisation:
    """One of them, with the counter's port."""
    include, exclude = ([rule.replace("PORT", str(port)) for rule in each] for each in CONTRACTS[name])
    return Authorisation(
        id=uuid4(),
        organisation_id=uuid4(),
        name=name,
        signed_by="test",
        include=tuple(map(parse_rule, include)),
        exclude=tuple(map(parse_rule, exclude)),
        valid_from=NOW - timedelta(days=1),
        valid_until=NOW + timedelta(days=1),
        max_intrusiveness=Intrusiveness.SAFE,
        created_at=NOW,
    )


async def scan(place: Address, authorisation: Authorisation, port: int, tools: Catalogue) -> str:
    """Ask as `Scanning` does, and run the tool where that is allowed; the rule that refused, or nothing."""
    clearance = Clearance(NoWork(), tools, Answers(), SystemClock(), TimeOrderedIds())
    wanted = Scan(
        id=uuid4(),
        organisation_id=authorisation.organisation_id,
        campaign_id=uuid4(),
        target_id=uuid4(),
        key="",
        phase=Phase.TOOLS,
        tool=TOOL,
        host=place.host,
        port=place.port,
        url=place.url,
        options={},
        state=ScanState.PENDING,
        created_at=NOW,
    )
    try:
        address = await clearance.address(wanted, TargetKind.HOST, authorisation, tools.spec(TOOL))
    except OutOfScopeError as refused:
        return refused.rule
    except InvalidInputError as refused:
        return refused.code
    target = ToolTarget(wanted.host, address, wanted.port, wanted.url)
    await Connector(port).run(ToolJob(wanted.tool, target, {}, 1.0, Path()), lambda _: None)
    return ""


def run(points: int, seed: int) -> Report:
    """As many of the cases, and what each contract does allow, so that the counter is known to count."""
    with (
        trial(12, "SSRF and scope cases") as report,
        tempfile.TemporaryDirectory() as scratch,
        counting("0.0.0.0") as counter,  # noqa: S104 - every address of 127.0.0.0/8 is to be counted
    ):
        tools = Catalogue(Programs(Path(scratch) / "tools", Path(scratch) / "cache"), (TOOLS,))
        hostile = cases(counter.port)
        chosen = random.Random(seed).sample(hostile, min(points, len(hostile)))  # noqa: S311 - to be repeated
        asyncio.run(_try(chosen, counter, tools, report))
    return report


async def _try(hostile: list[Case], counter: Counter, tools: Catalogue, report: Report) -> None:
    contracts = {name: contract(name, counter.port) for name in CONTRACTS}
    for name, allowed in CONTROLS.items():
        place = address_of(*recognise(allowed.replace("PORT", str(counter.port))))
        before = counter.count
        refused = await scan(place, contracts[name], counter.port, tools)
        report.point("" if not refused and counter.count > before else f"{name}: {allowed} was refused: {refused}")
    before = counter.count
    rules = set()
    for case in hostile:
        rule = await scan(case.place, contracts[case.contract], counter.port, tools)
        left, before = counter.count - before, counter.count
        report.point("" if rule and not left else f"{case.contract}: {case.target!r} as {case.place}: {left} packets")
        rules.add(rule.partition(" ")[0])
    if len(hostile) >= MANY and (missing := RULES - rules):
        report.point(f"nothing was refused by {missing}")
