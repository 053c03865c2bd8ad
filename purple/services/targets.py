"""The register of targets."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.deadlines import DATED
from purple.domain.errors import ConflictError, InvalidInputError
from purple.domain.events import Event
from purple.domain.pages import Page, Query
from purple.domain.ports import UnitOfWork, Work
from purple.domain.target_fields import checked_category, checked_zone, custom_fields, labels
from purple.domain.targets import (
    Control,
    Criticality,
    DataClass,
    Environment,
    Exposure,
    Target,
    TargetKind,
    in_use,
    normalise,
    recognise,
)
from purple.services.compliance.frameworks import Frameworks
from purple.services.events import event
from purple.services.grouping import Grouping
from purple.services.units import check_unit
from purple.services.weighing import rescored, scored, weigh

_WEIGHED = {"criticality", "exposure", "data_class", "controls"}
"""What risk depends on."""


class Targets:
    """Create, find, list, edit."""

    def __init__(
        self, work: Work, frameworks: Frameworks, clock: Clock, ids: Ids, grouping: Grouping | None = None
    ) -> None:
        self._work = work
        self._grouping = grouping or Grouping()
        self._frameworks = frameworks
        self._clock = clock
        self._ids = ids

    async def create(  # noqa: PLR0913 - each is a field of its own
        self,
        organisation_id: UUID,
        value: str,
        *,
        kind: TargetKind | None = None,
        name: str = "",
        criticality: Criticality = Criticality.MEDIUM,
        tags: Iterable[str] = (),
        zone: str = "",
        exposure: Exposure = Exposure.UNKNOWN,
        data_class: DataClass = DataClass.UNKNOWN,
        controls: Iterable[Control] = (),
        unit_id: UUID | None = None,
        environment: Environment = Environment.UNKNOWN,
        category: str = "",
        frameworks: Iterable[str] = (),
        custom: Iterable[str] = (),
    ) -> Target:
        """Register a target; without a kind it is recognised by how its value is written.

        Raises:
            InvalidInputError: the value is not of its kind, another field is wrong, or there is no such business unit
                or framework.
            ConflictError: it is registered already, or was and is retired.
        """
        if kind is None:
            kind, value = recognise(value, "value")
        normal = normalise(kind, value)
        target = Target(
            id=self._ids.new(),
            organisation_id=organisation_id,
            kind=kind,
            value=normal,
            name=name.strip() or normal,
            criticality=criticality,
            tags=labels(tags),
            created_at=self._clock.now(),
            zone=checked_zone(zone),
            exposure=exposure,
            data_class=data_class,
            controls=_once(controls),
            unit_id=unit_id,
            environment=environment,
            category=checked_category(category),
            frameworks=self._frameworks.checked(frameworks),
            custom=custom_fields(custom),
        )
        async with self._work(organisation_id) as uow:
            await check_unit(uow, unit_id)
            if any(each.retired_at for each in await uow.targets.all(kind=kind, value=normal)):
                raise ConflictError(
                    f"{normal} is retired", field="value", value=normal, remedy="restore it, with its history"
                )
            await uow.targets.add(target)
            await uow.events.add(created(target))
            found = await self._grouping.regroup(uow, [target.id])
        return replace(target, machine_id=found[target.id])

    async def ensure(self, organisation_id: UUID, value: str) -> Target:
        """The target that is written so; registered when it is new."""
        kind, normal = recognise(value)
        async with self._work(organisation_id) as uow:
            known = await uow.targets.all(kind=kind, value=normal)
        return known[0] if known else await self.create(organisation_id, normal, kind=kind)

    async def edit(self, organisation_id: UUID, target_id: UUID, version: int, **changes: Any) -> Target:
        """Change what is given of the version read.

        All but `kind` and `value` may change.

        Raises:
            InvalidInputError: a field is wrong, or a business unit or framework is not there.
            NotFoundError: there is no such target.
            PreconditionFailedError: somebody changed it since.
        """
        checks = {**_CHECKED, "frameworks": self._frameworks.checked}
        changes |= {name: checks[name](changes[name]) for name in checks.keys() & changes.keys()}
        async with self._work(organisation_id) as uow:
            await check_unit(uow, changes.get("unit_id"))
            target = await uow.targets.edit(target_id, version, **changes)
            if "zone" in changes:
                found = await self._grouping.regroup(uow, [target_id], held=[target_id])
                target = replace(target, machine_id=found[target_id])
            await follow(uow, [(target, changes)], self._clock.now())
            return target

    async def get(self, organisation_id: UUID, target_id: UUID) -> Target:
        """One target.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.targets.get(target_id)

    async def page(self, organisation_id: UUID, query: Query) -> Page[Target]:
        """By default newest first, without those that are retired unless the filter names `retired_at`."""
        shown = query if query.where else replace(query, filter=in_use(query.filter))
        async with self._work(organisation_id) as uow:
            return await uow.targets.page(shown)


def created(target: Target) -> Event:
    """The event that a target was registered."""
    data = {"value": target.value}
    return event(target.organisation_id, "target.created", target.id, target.created_at, data=data)


async def follow(uow: UnitOfWork, changed: Sequence[tuple[Target, Collection[str]]], now: datetime) -> None:
    """Do what follows from changed fields of targets: due dates, risk, and the events of all that.

    All of them that have either are dated first, which takes the locks of both in one order.
    """
    if touched := [target.id for target, names in changed if not (DATED | _WEIGHED).isdisjoint(names)]:
        await uow.due_dates.date(target_ids=touched)
    told = [
        event(
            target.organisation_id,
            "target.changed",
            target.id,
            now,
            data={"fields": sorted(names)},
            occasion=str(target.version),
        )
        for target, names in changed
    ]
    if weighed := {target.id: target for target, names in changed if not _WEIGHED.isdisjoint(names)}:
        for row_id, each in scored(await weigh(uow, await uow.findings.of_targets(list(weighed)))):
            target = weighed[each.weight.target_id]
            occasion = f"{target.id}/{target.version}"
            told.append(rescored(target.organisation_id, row_id, each, now, ["target"], occasion))
    await uow.events.add(*told)


def _name(text: str) -> str:
    if not text.strip():
        raise InvalidInputError("a target has a name", field="name", remedy="write one; its value will do")
    return text.strip()


def _once(controls: Iterable[Control]) -> tuple[Control, ...]:
    return tuple(sorted(set(controls)))


_CHECKED: Mapping[str, Callable[[Any], object]] = {
    "name": _name,
    "tags": labels,
    "controls": _once,
    "zone": checked_zone,
    "category": checked_category,
    "custom": custom_fields,
}
"""What becomes of what is given for a field."""
