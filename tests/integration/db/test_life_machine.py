"""No sequence of scans, retries, edits, triage of many, undos and time reaches a state that it must not."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from purple.contracts.campaigns import CampaignRef
from purple.db.engine import open_engine
from purple.domain.errors import ConflictError, PreconditionFailedError
from purple.domain.identity import Actor
from purple.domain.life import Change, Chosen, Wanted
from purple.domain.pages import MAX_LIMIT, Query
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import ChangeCause, Vulnerability, VulnerabilityState, may_change
from purple.services.analysis import Analysis
from purple.services.lapses import Lapses
from purple.services.life import Life
from purple.services.mass_triage import MassTriage
from purple.stack.servers import Servers
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import Clock, Tenant, make_tenant

PORTS = (22, 80, 443)
TOOLS = ("nmap", "sslyze")
STATES = some.sampled_from(VulnerabilityState)
SEEN = some.frozensets(some.sampled_from(PORTS))


@dataclass
class Look:
    """What one campaign's tools looked at: whether each came to the end, and the ports on which it saw the flaw."""

    campaign: UUID
    tools: dict[str, tuple[bool, frozenset[int]]]
    analysed: list[int] = field(default_factory=list)
    """When, in the order of analyses."""

    def saw(self, port: int) -> set[str]:
        return {tool for tool, (_, seen) in self.tools.items() if port in seen}


TOOL_RUNS = some.dictionaries(some.sampled_from(TOOLS), some.tuples(some.booleans(), SEEN), min_size=1)
NOTHING: dict[str, tuple[bool, frozenset[int]]] = {tool: (True, frozenset()) for tool in TOOLS}


class LifeMachine(RuleBasedStateMachine):
    """Real services on a real PostgreSQL, one organisation a run."""

    servers: ClassVar[Servers]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.engine = open_engine(self.servers.database_url, pool_size=2, units=True)
        self.clock = Clock()
        self.tenant: Tenant = self.run(make_tenant(self.engine))
        work = self.tenant.work
        self.analysis = Analysis(work, self.clock)
        self.life = Life(work, self.clock, TimeOrderedIds())
        self.many = MassTriage(work, self.clock, TimeOrderedIds())
        self.lapses = Lapses(None, work, self.clock)  # type: ignore[arg-type]  # one organisation needs no outbox
        self.actor = Actor(self.tenant.id, self.tenant.id, "ann")
        self.looks: list[Look] = []
        self.waiting: list[Look] = []
        self.operations: list[UUID] = []
        self.analyses = 0
        self.found = False

    def run(self, what: Any) -> Any:
        return self.loop.run(what)

    def teardown(self) -> None:
        self.run(self.engine.dispose())
        self.loop.close()

    async def all(self) -> tuple[Vulnerability, ...]:
        async with self.tenant.work(self.tenant.id) as uow:
            return (await uow.findings.vulnerabilities(Query({}, sort="port"))).items

    async def counts(self) -> dict[str, int]:
        async with self.tenant.work(self.tenant.id) as uow:
            return dict(await uow.findings.present())

    async def histories(self) -> dict[UUID, list[Change]]:
        async with self.tenant.work(self.tenant.id) as uow:
            found = (await uow.changes.page(Query({}, limit=MAX_LIMIT, sort="at"))).items
        told: dict[UUID, list[Change]] = {}
        for each in sorted(found, key=lambda change: change.version):
            told.setdefault(each.vulnerability_id, []).append(each)
        return told

    async def look(self, tools: dict[str, tuple[bool, frozenset[int]]], severity: Severity = Severity.LOW) -> Look:
        """A campaign that has looked, and is not analysed yet."""
        self.clock.day += 1
        campaign = await self.tenant.campaign(self.clock.day)
        for tool, (complete, seen) in tools.items():
            state = ScanState.COMPLETE if complete else ScanState.PARTIAL
            scan = await self.tenant.scan(campaign, state, tool=tool, key=tool)
            await self.tenant.record(*(self.tenant.sight(scan, port, severity=severity, rule=tool) for port in seen))
        self.looks.append(Look(campaign.id, tools))
        return self.looks[-1]

    async def analyse(self, look: Look) -> None:
        self.analyses += 1
        look.analysed.append(self.analyses)
        ref = CampaignRef(organisation_id=self.tenant.id, campaign_id=look.campaign, round=1)
        await self.analysis.analyse(ref)
        self.found = self.found or any(look.saw(port) for port in PORTS)

    @rule(tools=TOOL_RUNS, severity=some.sampled_from(Severity))
    def a_campaign_looks(self, tools: dict[str, tuple[bool, frozenset[int]]], severity: Severity) -> None:
        self.run(self.analyse(self.run(self.look(tools, severity))))

    @rule(tools=TOOL_RUNS)
    def a_campaign_looks_and_is_analysed_later(self, tools: dict[str, tuple[bool, frozenset[int]]]) -> None:
        self.waiting.append(self.run(self.look(tools)))

    @precondition(lambda self: self.waiting)
    @rule(data=some.data())
    def one_that_waits_is_analysed(self, data: some.DataObject) -> None:
        self.run(self.analyse(self.waiting.pop(data.draw(some.integers(0, len(self.waiting) - 1)))))

    @precondition(lambda self: any(look.analysed for look in self.looks))
    @rule()
    def an_analysis_is_tried_again(self) -> None:
        last = max((look for look in self.looks if look.analysed), key=lambda look: look.analysed[-1])
        before = self.run(self.all()), self.run(self.histories())
        self.run(self.analyse(last))
        assert (self.run(self.all()), self.run(self.histories())) == before

    @rule(late=some.booleans())
    def every_tool_looks_again_to_the_end_and_sees_nothing(self, late: bool) -> None:
        clean = self.run(self.look(NOTHING))
        before = {each.id: each.state for each in self.run(self.all())}
        for each in [clean, *self.waiting] if late else [*self.waiting, clean]:
            self.run(self.analyse(each))
        self.waiting.clear()
        for each in self.run(self.all()):
            known = before.get(each.id)
            if known is None:
                assert late or each.state is VulnerabilityState.FIXED
            elif known.counts or known is VulnerabilityState.FIXED:
                assert each.state is VulnerabilityState.FIXED, "what was seen before the last look opens nothing"
            else:
                assert each.state is known, "a person's verdict stands"

    @precondition(lambda self: self.found)
    @rule(data=some.data(), state=STATES, fresh=some.booleans())
    def a_person_edits(self, data: some.DataObject, state: VulnerabilityState, fresh: bool) -> None:
        one = data.draw(some.sampled_from(self.run(self.all())))
        wanted = Wanted(state, self.until(state), why="looked at it")
        if not fresh:
            with pytest.raises(PreconditionFailedError):
                self.run(self.life.edit(one.id, one.version - 1, wanted, self.actor))
        elif may_change(ChangeCause.PERSON, one.state, state):
            after = self.run(self.life.edit(one.id, one.version, wanted, self.actor))
            assert (after.state, after.version) == (state, one.version + 1)
        else:
            with pytest.raises(ConflictError):
                self.run(self.life.edit(one.id, one.version, wanted, self.actor))

    @precondition(lambda self: self.found)
    @rule(data=some.data())
    def a_person_decides(self, data: some.DataObject) -> None:
        """As `a_person_edits`, and never refused."""
        one = data.draw(some.sampled_from(self.run(self.all())))
        state = data.draw(
            some.sampled_from([s for s in VulnerabilityState if may_change(ChangeCause.PERSON, one.state, s)])
        )
        self.run(self.life.edit(one.id, one.version, Wanted(state, self.until(state), why="decided"), self.actor))

    def until(self, state: VulnerabilityState) -> datetime | None:
        return self.clock.now() + timedelta(days=3) if state is VulnerabilityState.RISK_ACCEPTED else None

    @rule(
        state=some.sampled_from(sorted(set(VulnerabilityState) - {VulnerabilityState.FIXED})),
        terms=some.sampled_from(["", "port:>=80", "state:open,reopened", "-tool:nmap"]),
    )
    def a_person_triages_many(self, state: VulnerabilityState, terms: str) -> None:
        wanted, chosen = Wanted(state, self.until(state), why="all alike"), Chosen(query=Query(filter=terms))
        before = {each.id: each for each in self.run(self.all())}
        seen = self.run(self.many.preview(chosen, wanted, self.actor))
        assert {each.id: each for each in self.run(self.all())} == before
        done = self.run(self.many.apply(chosen, wanted, self.actor))
        assert (done.changed, done.changes, done.refused) == (seen.changed, seen.changes, seen.refused)
        assert done.operation_id
        self.operations.append(done.operation_id)
        moved = [each for each in self.run(self.all()) if each.version > before[each.id].version]
        assert len(moved) == done.changed
        assert all(may_change(ChangeCause.PERSON, before[each.id].state, each.state) for each in moved)

    @precondition(lambda self: self.operations)
    @rule(data=some.data())
    def a_triage_is_undone(self, data: some.DataObject) -> None:
        operation = self.operations.pop(data.draw(some.integers(0, len(self.operations) - 1)))
        before = self.run(self.histories())
        done = self.run(self.many.undo(operation, self.actor))
        left = {each.id for each in done.left}
        mine = {key: next((c for c in told if c.operation_id == operation), None) for key, told in before.items()}
        for each in self.run(self.all()):
            change = mine.get(each.id)
            if change is None:
                continue
            touched = [c for c in before[each.id] if c.version > change.version and "state" in c.after]
            if touched or change.before["state"] == VulnerabilityState.FIXED:
                assert each.id in left
            else:
                assert each.state == change.before["state"]
        with pytest.raises(ConflictError):
            self.run(self.many.undo(operation, self.actor))

    @rule(days=some.integers(1, 4))
    def time_goes_by(self, days: int) -> None:
        self.clock.day += days
        self.run(self.lapses.end(self.tenant.id, self.clock.now()))
        for each in self.run(self.all()):
            assert each.accepted_until is None or each.accepted_until > self.clock.now()

    @invariant()
    def the_book_of_counts_says_how_many_are_present(self) -> None:
        told = Counter(str(one.severity) for one in self.run(self.all()) if one.state.counts)
        assert self.run(self.counts()) == told

    @invariant()
    def the_history_tells_how_each_came_to_its_state(self) -> None:
        histories = self.run(self.histories())
        for one in self.run(self.all()):
            state = VulnerabilityState.OPEN
            told = histories.get(one.id, [])
            assert [each.version for each in told] == list(range(2, one.version + 1))
            for change in told:
                if "state" not in change.after:
                    continue
                after = VulnerabilityState(change.after["state"])
                assert change.before["state"] == state
                assert may_change(change.cause, state, after), (change.cause, state, after)
                assert change.why
                self.was_kept(change, state, after)
                if change.cause is ChangeCause.SCAN and after is VulnerabilityState.FIXED:
                    self.was_earned(one, change)
                state = after
            assert one.state is state
            accepted = one.state is VulnerabilityState.RISK_ACCEPTED
            assert (one.accepted_until is not None) is accepted

    def was_kept(self, change: Change, state: VulnerabilityState, after: VulnerabilityState) -> None:
        """What it was before its risk was accepted stays, also where that gets another day, and comes back."""
        was, accepted = change.before.get("accepted_from"), VulnerabilityState.RISK_ACCEPTED
        if change.cause is ChangeCause.CLOCK:
            assert after == was
        elif change.cause is ChangeCause.PERSON and after is accepted:
            assert change.after["accepted_from"] == (was if state is accepted else state)

    def was_earned(self, one: Vulnerability, change: Change) -> None:
        """Every tool that had seen it has looked again in this campaign, to the end, and did not see it."""
        look = next(each for each in self.looks if each.campaign == change.campaign_id)
        assert not look.saw(one.port)
        done = {tool for tool, (complete, _) in look.tools.items() if complete}
        for other in self.looks:
            if other.analysed and other.analysed[0] < look.analysed[0]:
                assert other.saw(one.port) <= done, "it closed on partial data, or on another tool's"


@pytest.mark.timeout(240)
def test_no_sequence_reaches_a_state_that_it_must_not(servers) -> None:
    LifeMachine.servers = servers
    run_state_machine_as_test(
        LifeMachine,
        settings=settings(
            max_examples=50,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            phases=(Phase.generate,),  # what fails is told as it is: making it small takes minutes on real servers
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
