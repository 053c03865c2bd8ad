"""The relay's care for the book from which present vulnerabilities are counted."""

from uuid import UUID

from purple.domain.ports import Work


class Counting:
    """Each change of a vulnerability adds a line to it; a page that counts reads few."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def sum_up(self, organisation_id: UUID) -> None:
        """Make few lines of many.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        async with self._work(organisation_id) as uow:
            await uow.findings.sum_up()
