"""Hundreds of targets in disguise, through the one place that is asked before a tool runs: a counter sees no packet."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

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
from tests.support.counter import Counter, counting
from tests.support.forms import ASIDE, DISGUISED, ipv4_forms

SUPPORT = Path(__file__).resolve().parents[2] / "support"
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
        progress(ToolProgress(datetime.now(UTC), 0, None))
        hosts = {job.target.address, job.target.host.strip(" []"), urlsplit(job.target.url).hostname or ""}
        await asyncio.to_thread(self._connect, {self._found(host) for host in hosts if host})

    @staticmethod
    def _found(host: str) -> str:
        return next(iter(NAMES.get(host.lower().rstrip("."), (host,))), "")
        return ToolRun(ScanState.COMPLETE, "", None)

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
    contract: str
    target: str
    place: Address


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


def written() -> Iterator[tuple[str, str]]:
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
    for contract, text in written():
        target = text.replace("PORT", str(port))
        places = [raw(target)]
        with contextlib.suppress(InvalidInputError):
            places.append(address_of(*recognise(target)))
        for place in places:
            found[contract, place] = Case(contract, target, place)
    return list(found.values())


def raw(target: str) -> Address:
    scheme, _, rest = target.partition("://")
    if not rest:
        return Address(target)
    return Address(rest.partition("/")[0].rpartition("@")[2].rpartition(":")[0], 0, f"{scheme}://{rest}")


class NoWork:
    """Nothing here touches the database."""

    def __call__(self, organisation_id: UUID) -> AbstractAsyncContextManager[UnitOfWork]:
        raise AssertionError(organisation_id)


@pytest.fixture
def counter() -> Iterator[Counter]:
    with counting("0.0.0.0") as made:  # noqa: S104 - every address of 127.0.0.0/8 is to be counted
        yield made


@pytest.fixture(scope="module")
def tools(tmp_path_factory) -> Catalogue:
    folder = tmp_path_factory.mktemp("programs")
    return Catalogue(Programs(folder / "tools", folder / "cache"), (SUPPORT / "tools",))


def contract(name: str, port: int) -> Authorisation:
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


async def scan(place: Address, authorisation: Authorisation, port: int, tools: Catalogue, folder: Path) -> str:
    """Ask as `Scanning` does, and run the tool where that is allowed; the rule that refused, or nothing."""
    clearance = Clearance(NoWork(), tools, Answers(), SystemClock(), TimeOrderedIds())
    wanted = Scan(
        id=uuid4(),
        organisation_id=authorisation.organisation_id,
        campaign_id=uuid4(),
        target_id=uuid4(),
        key="",
        phase=Phase.TOOLS,
        tool="made-requests",
        host=place.host,
        port=place.port,
        url=place.url,
        options={},
        state=ScanState.PENDING,
        created_at=NOW,
    )
    try:
        address = await clearance.address(wanted, TargetKind.HOST, authorisation, tools.spec("made-requests"))
    except OutOfScopeError as refused:
        return refused.rule
    except InvalidInputError as refused:
        return refused.code
    target = ToolTarget(wanted.host, address, wanted.port, wanted.url)
    await Connector(port).run(ToolJob(wanted.tool, target, {}, 1.0, folder), lambda _: None)
    return ""


async def test_no_disguise_lets_a_packet_out(counter, tools, tmp_path) -> None:
    hostile = cases(counter.port)
    assert len(hostile) >= 500
    contracts = {name: contract(name, counter.port) for name in CONTRACTS}
    rules = {}
    for case in hostile:
        rule = await scan(case.place, contracts[case.contract], counter.port, tools, tmp_path)
        assert rule, f"{case.contract}: {case.target!r} as {case.place} was allowed"
        assert counter.count == 0, f"{case.contract}: a packet left for {case.target!r}"
        rules[rule.partition(" ")[0]] = case
    assert set(rules) == {"not-included", "exclude", "special-range", "invalid-input"}


@pytest.mark.parametrize("name", CONTROLS)
async def test_the_counter_counts_what_is_allowed(counter, tools, tmp_path, name) -> None:
    place = address_of(*recognise(CONTROLS[name].replace("PORT", str(counter.port))))
    assert not await scan(place, contract(name, counter.port), counter.port, tools, tmp_path)
    assert counter.count >= 1
