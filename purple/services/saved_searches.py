"""Searches that people keep under a name, for themselves or for everybody, and alerts among them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from purple.domain.identity import Actor
from purple.domain.pages import Page, Query
from purple.domain.ports import UnitOfWork, Work
from purple.domain.queries import parse_query
from purple.domain.saved import MAX_ALERTS, MAX_MATCHES, MAX_QUERY, MAX_SAVED, SavedSearch, checked_name
from purple.domain.search import Index, Wanted
from purple.services.events import event


def wanted_of(index: Index, text: str) -> Wanted:
    """What a saved query asks.

    Raises:
        InvalidInputError: it cannot be read, asks for nothing, or names a field or value that there is not.
    """
    if not text or len(text) > MAX_QUERY:
        raise InvalidInputError(
            f"a query has 1 to {MAX_QUERY} characters", field="query", value=text, remedy="say what it finds"
        )
    written = parse_query(text)
    return Wanted(index.fields.conditions(written.terms), written.phrases)


class SavedSearches:
    """Whoever keeps one may change it; others see it where it is shared."""

    def __init__(self, work: Work, index: Index, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._index = index
        self._clock = clock
        self._ids = ids

    async def create(self, actor: Actor, name: str, query: str, *, shared: bool, alert: bool) -> SavedSearch:
        """Keep a query; an alert tells of what matches it from now on, not of what matches already.

        Raises:
            InvalidInputError: the query cannot be read, or the alert finds too much.
            ConflictError: they keep one of this name, or as many as they may.
        """
        made = SavedSearch(
            id=self._ids.new(),
            organisation_id=actor.organisation_id,
            owner=actor.username,
            name=checked_name(name),
            query=query.strip(),
            created_at=self._clock.now(),
            shared=shared,
            alert=alert,
        )
        wanted_of(self._index, made.query)
        async with self._work(actor.organisation_id) as uow:
            await _check_name(uow, made)
            await uow.saved_searches.add(made)
            await self._watch(uow, made)
            await self._tell(uow, made, actor, "search.saved")
        return made

    async def edit(self, actor: Actor, search_id: UUID, version: int, **changes: Any) -> SavedSearch:
        """Change `name`, `query`, `shared` or `alert` of the version read; an alert on another query begins anew.

        Raises:
            NotFoundError: they see no such search.
            ForbiddenError: somebody else keeps it.
            PreconditionFailedError: it was changed since.
            InvalidInputError: the query cannot be read, or the alert finds too much.
            ConflictError: they keep one of this name.
        """
        if "name" in changes:
            changes["name"] = checked_name(changes["name"])
        if "query" in changes:
            changes["query"] = changes["query"].strip()
            wanted_of(self._index, changes["query"])
        async with self._work(actor.organisation_id) as uow:
            before = await _own(uow, actor, search_id)
            await _check_name(uow, replace(before, **changes))
            after = await uow.saved_searches.edit(search_id, version, **changes)
            if (after.alert, after.query) != (before.alert, before.query):
                await self._watch(uow, after)
            await self._tell(uow, after, actor, "search.changed")
        return after

    async def delete(self, actor: Actor, search_id: UUID, version: int) -> None:
        """Forget one.

        Raises:
            NotFoundError: they see no such search.
            ForbiddenError: somebody else keeps it.
            PreconditionFailedError: it was changed since.
        """
        async with self._work(actor.organisation_id) as uow:
            found = await _own(uow, actor, search_id)
            await uow.alerts.remove(search_id, version)
            await self._tell(uow, found, actor, "search.deleted")

    async def get(self, actor: Actor, search_id: UUID) -> SavedSearch:
        """One that they see.

        Raises:
            NotFoundError: they see no such search.
        """
        async with self._work(actor.organisation_id) as uow:
            return await _seen(uow, actor, search_id)

    async def page(self, actor: Actor, query: Query) -> Page[SavedSearch]:
        """Their own and those that are shared, by name."""
        async with self._work(actor.organisation_id) as uow:
            return await uow.saved_searches.page(replace(query, where={**query.where, "shown_to": actor.username}))

    async def _watch(self, uow: UnitOfWork, search: SavedSearch) -> None:
        """Note what an alert finds already, of which nobody need be told."""
        if not search.alert:
            await uow.alerts.end(search.id)
            return
        if len(await uow.saved_searches.all(alert=True)) > MAX_ALERTS:
            raise ConflictError(f"there are {MAX_ALERTS} alerts already", field="alert", remedy="switch one off")
        found = await uow.alerts.begin(search.id, wanted_of(self._index, search.query), self._clock.now())
        if found > MAX_MATCHES:
            raise InvalidInputError(
                f"it finds more than {MAX_MATCHES} vulnerabilities now",
                field="alert",
                value=search.query,
                remedy="narrow the query: an alert is for what is rare",
            )

    async def _tell(self, uow: UnitOfWork, search: SavedSearch, actor: Actor, kind: str) -> None:
        data = {"by": actor.username, "name": search.name, "alert": search.alert, "shared": search.shared}
        occasion = str(search.version)
        told = event(actor.organisation_id, kind, search.id, self._clock.now(), data=data, occasion=occasion)
        await uow.events.add(told)


async def _seen(uow: UnitOfWork, actor: Actor, search_id: UUID) -> SavedSearch:
    found = await uow.saved_searches.find(search_id)
    if found is None or not found.shown_to(actor.username):
        raise NotFoundError(f"there is no saved search {search_id}", value=search_id, remedy="list those that exist")
    return found


async def _own(uow: UnitOfWork, actor: Actor, search_id: UUID) -> SavedSearch:
    found = await _seen(uow, actor, search_id)
    if found.owner != actor.username:
        raise ForbiddenError(
            f"{found.owner} keeps this search", value=search_id, remedy="save one of your own with the same query"
        )
    return found


async def _check_name(uow: UnitOfWork, search: SavedSearch) -> None:
    mine: Collection[SavedSearch] = await uow.saved_searches.all(owner=search.owner)
    if any(each.name == search.name and each.id != search.id for each in mine):
        raise ConflictError(
            f"you keep a search {search.name!r} already", field="name", value=search.name, remedy="give another name"
        )
    if len(mine) >= MAX_SAVED and search.id not in {each.id for each in mine}:
        raise ConflictError(f"you keep {MAX_SAVED} searches already", field="name", remedy="delete one")
