"""Reading what was found."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from purple.domain.causes import Causes
from purple.domain.findings import Sighting
from purple.domain.observations import RecordedObservation
from purple.domain.pages import Page, Query
from purple.domain.ports import Work
from purple.domain.vulnerabilities import Vulnerability

SIGHTINGS = 50
"""Of one vulnerability, the newest."""


class FindingsReader:
    """Vulnerabilities and observations. What searches them is in `searching`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def vulnerabilities(self, organisation_id: UUID, query: Query, *, once: bool = False) -> Page[Vulnerability]:
        """By default worst risk first; `once` shows what several targets of a machine have only under one of them."""
        async with self._work(organisation_id) as uow:
            return await uow.findings.vulnerabilities(query, once=once)

    async def vulnerability(self, organisation_id: UUID, row_id: UUID) -> Vulnerability:
        """One.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.findings.vulnerability(row_id)

    async def sightings(
        self, organisation_id: UUID, ids: Sequence[UUID], most: int = SIGHTINGS
    ) -> dict[UUID, list[Sighting]]:
        """Which scans saw each of these vulnerabilities, the newest first."""
        found: dict[UUID, list[Sighting]] = {each: [] for each in ids}
        async with self._work(organisation_id) as uow:
            for sighting in await uow.findings.sightings(ids, most):
                found[sighting.vulnerability_id].append(sighting)
        return found

    async def causes(self, organisation_id: UUID, query: Query) -> Causes:
        """What one fix each would end; what takes most risk away comes first.

        Raises:
            InvalidInputError: the filter or the limit cannot be used.
        """
        async with self._work(organisation_id) as uow:
            return await uow.findings.causes(query)

    async def observations(self, organisation_id: UUID, query: Query) -> Page[RecordedObservation]:
        """By default in the order in which they were recorded."""
        async with self._work(organisation_id) as uow:
            return await uow.findings.observations(query)

    async def observed(self, organisation_id: UUID, ids: Sequence[UUID]) -> Mapping[UUID, RecordedObservation]:
        """Those of these observations that there are, by id."""
        async with self._work(organisation_id) as uow:
            return await uow.findings.observed(ids)

    async def observation(self, organisation_id: UUID, row_id: UUID) -> RecordedObservation:
        """One.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.findings.observation(row_id)
