"""Compliance: how frameworks stand, from scans that ended and from the register; kept by day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from purple.contracts.frameworks import Control, Framework
from purple.domain.clock import Clock
from purple.domain.compliance import OF_TARGETS, ComplianceDay, ControlStanding, FrameworkStanding, Look, Status
from purple.domain.errors import NotFoundError
from purple.domain.ports import UnitOfWork, Work
from purple.domain.targets import Target
from purple.domain.tools import ToolCatalogue, Topic
from purple.domain.trends import DAYS, day_of
from purple.services.compliance.frameworks import Frameworks
from purple.services.compliance.judging import in_order, judge


class ComplianceReader:
    """Judged when somebody looks, so that it is never older than what it rests on."""

    def __init__(self, work: Work, frameworks: Frameworks, tools: ToolCatalogue, clock: Clock) -> None:
        self._work = work
        self._frameworks = frameworks
        self._tools = tools
        self._clock = clock

    def frameworks(self) -> tuple[Framework, ...]:
        """All that there are, by name.

        Raises:
            InvalidInputError: one that the deployment adds is malformed.
        """
        return tuple(map(self._frameworks.load, self._frameworks.names()))

    async def overview(self, organisation_id: UUID) -> tuple[FrameworkStanding, ...]:
        """How each framework stands that a target has."""
        async with self._work(organisation_id) as uow:
            used = await uow.compliance.used()
            known = [name for name in used if name in self._frameworks.names()]
            return tuple([await self._judged(uow, self._frameworks.load(name)) for name in known])

    async def standing(self, organisation_id: UUID, name: str, filter_: str = "") -> FrameworkStanding:
        """How one stands, over all targets that have it or those of them that a filter finds.

        Raises:
            NotFoundError: there is no such framework.
            InvalidInputError: the filter cannot be read.
        """
        framework = self._frameworks.load(name)
        async with self._work(organisation_id) as uow:
            return await self._judged(uow, framework, filter_)

    async def control(self, organisation_id: UUID, name: str, control_id: str, filter_: str = "") -> ControlStanding:
        """How one control stands, target by target.

        Raises:
            NotFoundError: there is no such framework or control.
            InvalidInputError: the filter cannot be read.
        """
        framework = self._frameworks.load(name)
        wanted = tuple(each for each in framework.controls if each.id.lower() == control_id.lower())
        if not wanted:
            ids = ", ".join(each.id for each in framework.controls)
            raise NotFoundError(f"{name} has no control {control_id!r}", value=control_id, remedy=f"use one of {ids}")
        async with self._work(organisation_id) as uow:
            judged = await self._judged(uow, framework, filter_, wanted)
        return judged.controls[0]

    async def history(self, organisation_id: UUID, name: str, since: date | None = None) -> Sequence[ComplianceDay]:
        """How it stood, by day; by default since 90 days ago.

        Raises:
            NotFoundError: there is no such framework.
        """
        framework = self._frameworks.load(name)
        first = since or day_of(self._clock.now()) - timedelta(days=DAYS)
        async with self._work(organisation_id) as uow:
            return await uow.compliance.days(framework.name, first)

    async def of_targets(
        self, organisation_id: UUID, targets: Sequence[Target]
    ) -> dict[UUID, dict[str, dict[Status, int]]]:
        """By target and framework that it has, how many of the controls that apply to it stand how."""
        found: dict[UUID, dict[str, dict[Status, int]]] = {each.id: {} for each in targets}
        used = {name for each in targets for name in each.frameworks}
        async with self._work(organisation_id) as uow:
            for name in sorted(used.intersection(self._frameworks.names())):
                ids = ",".join(str(each.id) for each in targets if name in each.frameworks)
                for control in (await self._judged(uow, self._frameworks.load(name), f"id:{ids}")).controls:
                    for each in control.evidence:
                        counts = found[each.target.id].setdefault(name, dict.fromkeys(OF_TARGETS, 0))
                        counts[each.status] += 1
        return found

    async def record(self, organisation_id: UUID) -> None:
        """Keep how each framework stands today that a target has."""
        today = day_of(self._clock.now())
        for each in await self.overview(organisation_id):
            statuses = {control.id: control.status for control in each.controls}
            async with self._work(organisation_id) as uow:
                await uow.compliance.record(today, each.name, statuses)

    async def _judged(
        self, uow: UnitOfWork, framework: Framework, filter_: str = "", some: Sequence[Control] = ()
    ) -> FrameworkStanding:
        """With some of its controls, or all."""
        controls = some or framework.controls
        now = self._clock.now()
        targets = {each.id: each for each in await uow.compliance.targets(framework.name, filter_)}
        tools = self._able()
        able = {tool for control in controls for topic in control.looked for tool in tools.get(topic, ())}
        looks: dict[UUID, list[Look]] = defaultdict(list)
        for look in await uow.compliance.looks(list(targets), able, _earliest(framework, now)):
            looks[look.target_id].append(look)
        return FrameworkStanding(
            framework.name,
            framework.title,
            framework.version,
            framework.source,
            framework.limits,
            len(targets),
            now,
            tuple([await _control(uow, each, targets, looks, tools, now) for each in controls]),
        )

    def _able(self) -> Mapping[Topic, Sequence[str]]:
        """By topic, the tools that look into it."""
        found: dict[Topic, list[str]] = defaultdict(list)
        for name in sorted({*self._tools.names(), *(each.tool for each in self._tools.formats())}):
            for topic in self._tools.spec(name).examines:
                found[topic].append(name)
        return found


def _earliest(framework: Framework, now: datetime) -> datetime:
    """Twice as long ago as any control asks, to say when the last complete scan was."""
    return now - timedelta(days=2 * max(control.within_days for control in framework.controls))


async def _control(
    uow: UnitOfWork,
    control: Control,
    targets: Mapping[UUID, Target],
    looks: Mapping[UUID, Sequence[Look]],
    tools: Mapping[Topic, Sequence[str]],
    now: datetime,
) -> ControlStanding:
    ids = list(targets)
    about = await uow.compliance.applicable(ids, control.targets) if control.targets else targets.keys()
    breaches = await uow.compliance.breaches(ids, control.findings) if control.findings else {}
    evidence = (
        judge(control, target, looks.get(target.id, ()), breaches.get(target.id), tools, now)
        for target in targets.values()
        if target.id in about
    )
    return ControlStanding(control.id, control.title, in_order(evidence))
