"""The register of targets."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import InvalidInputError
from purple.domain.pages import Page, Query
from purple.domain.ports import Work
from purple.domain.targets import (
    Control,
    Criticality,
    DataClass,
    Exposure,
    Target,
    TargetKind,
    checked_zone,
    normalise,
    recognise,
)
from purple.services.events import event
from purple.services.weighing import rescored, scored, weigh

MAX_TAGS = 50
_WEIGHED = {"criticality", "exposure", "data_class", "controls"}
"""What risk depends on."""


class Targets:
    """Create, find, list, edit."""

    def __init__(self, work: Work, clock: Clock, ids: Ids) -> None:
        self._work = work
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
    ) -> Target:
        """Register a target; without a kind it is recognised by how its value is written.

        Raises:
            InvalidInputError: the value is not of its kind.
            ConflictError: it is registered already.
        """
        if kind is None:
            kind, value = recognise(value, "value")
        normal = normalise(kind, value)
        labels = _labels(tags)
        target = Target(
            id=self._ids.new(),
            organisation_id=organisation_id,
            kind=kind,
            value=normal,
            name=name.strip() or normal,
            criticality=criticality,
            tags=labels,
            created_at=self._clock.now(),
            zone=checked_zone(zone),
            exposure=exposure,
            data_class=data_class,
            controls=_once(controls),
        )
        async with self._work(organisation_id) as uow:
            await uow.targets.add(target)
            await uow.events.add(
                event(organisation_id, "target.created", target.id, target.created_at, data={"value": normal})
            )
        return target

    async def ensure(self, organisation_id: UUID, value: str) -> Target:
        """The target that is written so; registered when it is new."""
        kind, normal = recognise(value)
        async with self._work(organisation_id) as uow:
            known = await uow.targets.all(kind=kind, value=normal)
        return known[0] if known else await self.create(organisation_id, normal, kind=kind)

    async def edit(self, organisation_id: UUID, target_id: UUID, version: int, **changes: Any) -> Target:
        """Change `name`, `criticality`, `tags`, `zone`, `exposure`, `data_class` or `controls` of the version read.

        Raises:
            InvalidInputError: too many tags, no zone's name, or an empty name.
            NotFoundError: there is no such target.
            PreconditionFailedError: somebody changed it since.
        """
        if "tags" in changes:
            changes["tags"] = _labels(changes["tags"])
        if "controls" in changes:
            changes["controls"] = _once(changes["controls"])
        if "zone" in changes:
            checked_zone(changes["zone"])
        if "name" in changes:
            changes["name"] = changes["name"].strip()
            if not changes["name"]:
                raise InvalidInputError("a target has a name", field="name", remedy="write one; its value will do")
        now = self._clock.now()
        async with self._work(organisation_id) as uow:
            target = await uow.targets.edit(target_id, version, **changes)
            if "exposure" in changes:
                await uow.due_dates.date(target_id=target_id)
            if _WEIGHED & set(changes):
                moved = scored(await weigh(uow, await uow.findings.of_target(target_id)))
                occasion = f"{target_id}/{target.version}"
                await uow.events.add(
                    *(rescored(organisation_id, each, why, now, ["target"], occasion) for each, why in moved)
                )
            changed = event(
                organisation_id,
                "target.changed",
                target_id,
                now,
                data={"fields": sorted(changes)},
                occasion=str(target.version),
            )
            await uow.events.add(changed)
            return target

    async def get(self, organisation_id: UUID, target_id: UUID) -> Target:
        """One target.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.targets.get(target_id)

    async def page(self, organisation_id: UUID, query: Query) -> Page[Target]:
        """By default newest first."""
        async with self._work(organisation_id) as uow:
            return await uow.targets.page(query)


def _once(controls: Iterable[Control]) -> tuple[Control, ...]:
    return tuple(sorted(set(controls)))


def _labels(tags: Iterable[str]) -> tuple[str, ...]:
    labels = tuple(sorted({tag.strip() for tag in tags if tag.strip()}))
    if len(labels) > MAX_TAGS:
        raise InvalidInputError(
            f"a target has at most {MAX_TAGS} tags", field="tags", value=len(labels), remedy="use fewer"
        )
    return labels
