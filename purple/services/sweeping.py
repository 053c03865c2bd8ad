"""Going through all that an organisation has."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import UUID

from purple.domain.ports import UnitOfWork, Work


async def sweep(
    work: Work, organisation_id: UUID, fetch: Callable[[UnitOfWork, UUID | None], Awaitable[Sequence[UUID]]]
) -> AsyncIterator[Sequence[UUID]]:
    """Ids in parts, each read in a transaction of its own.

    Args:
        work: begins the transactions.
        organisation_id: whose ids.
        fetch: the next part after an id, in order; none ends it.
    """
    after = None
    while True:
        async with work(organisation_id) as uow:
            found = await fetch(uow, after)
        if not found:
            return
        yield found
        after = found[-1]
