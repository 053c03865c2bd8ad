"""Authorisations: contracts that campaigns need."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import InvalidInputError
from purple.domain.pages import Page, Query
from purple.domain.ports import Work
from purple.domain.scope import Authorisation, parse_rule
from purple.domain.tools import Intrusiveness
from purple.services.events import event

MAX_RULES = 1_000


class Authorisations:
    """Create, find, list, revoke."""

    def __init__(self, work: Work, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def create(  # noqa: PLR0913 - a contract's fields
        self,
        organisation_id: UUID,
        *,
        name: str,
        signed_by: str,
        include: Iterable[str],
        exclude: Iterable[str] = (),
        valid_from: datetime | None = None,
        valid_until: datetime,
        max_intrusiveness: Intrusiveness = Intrusiveness.SAFE,
    ) -> Authorisation:
        """Write a contract down.

        Raises:
            InvalidInputError: a rule cannot be read, nothing is included, or the window is empty.
        """
        now = self._clock.now()
        start = valid_from or now
        for field, moment in (("valid_from", start), ("valid_until", valid_until)):
            if moment.tzinfo is None:
                raise InvalidInputError(
                    f"{field} has no time zone", field=field, value=moment, remedy="write it as 2026-01-31T18:00:00Z"
                )
        if valid_until <= start:
            raise InvalidInputError(
                "valid_until is not after valid_from", field="valid_until", value=valid_until, remedy="choose a later"
            )
        included, excluded = list(include), list(exclude)
        if not included or len(included) + len(excluded) > MAX_RULES:
            raise InvalidInputError(
                f"an authorisation includes at least one rule and holds at most {MAX_RULES}",
                field="include",
                value=len(included),
                remedy="name addresses, networks, host names or URLs",
            )
        authorisation = Authorisation(
            id=self._ids.new(),
            organisation_id=organisation_id,
            name=name.strip(),
            signed_by=signed_by.strip(),
            include=tuple(parse_rule(text, "include") for text in included),
            exclude=tuple(parse_rule(text, "exclude") for text in excluded),
            valid_from=start,
            valid_until=valid_until,
            max_intrusiveness=max_intrusiveness,
            created_at=now,
        )
        async with self._work(organisation_id) as uow:
            await uow.authorisations.add(authorisation)
            await uow.events.add(
                event(organisation_id, "authorisation.created", authorisation.id, now, data={"name": name})
            )
        return authorisation

    async def revoke(self, organisation_id: UUID, authorisation_id: UUID) -> Authorisation:
        """Withdraw a contract: every step of its campaigns that is dispatched from now on is refused.

        Raises:
            NotFoundError: there is none.
        """
        now = self._clock.now()
        async with self._work(organisation_id) as uow:
            known = await uow.authorisations.get(authorisation_id)
            if known.revoked_at is not None:
                return known
            await uow.events.add(event(organisation_id, "authorisation.revoked", authorisation_id, now))
            return await uow.authorisations.update(authorisation_id, revoked_at=now, version=known.version + 1)

    async def get(self, organisation_id: UUID, authorisation_id: UUID) -> Authorisation:
        """One contract.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.authorisations.get(authorisation_id)

    async def page(self, organisation_id: UUID, query: Query) -> Page[Authorisation]:
        """By default newest first."""
        async with self._work(organisation_id) as uow:
            return await uow.authorisations.page(query)
