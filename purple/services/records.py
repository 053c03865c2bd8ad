"""Searching records of what happened: results of scans, the log of actions, samples of the system's health."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from purple.domain.ports import Work
from purple.domain.search import Index, Search, record
from purple.services.asking import Asking, Facet, bucket


@dataclass(frozen=True, slots=True)
class Records:
    """What a search found; rows come from PostgreSQL and are never stale."""

    items: tuple[dict[str, Any], ...]
    """By field: texts, numbers, moments, ids and lists of them."""
    total: int
    bounded: bool
    """Whether there are more than were counted, and counts are at least."""
    facets: tuple[Facet, ...]
    engine: str
    note: str = ""


class RecordSearch:
    """One index of records, the newest first; where there are words, the best matches."""

    def __init__(self, work: Work, index: Index, search: Search) -> None:
        self._work = work
        self._asking = Asking(work, index, search)

    async def search(self, organisation_id: UUID, text: str, limit: int, facets: Collection[str] = ()) -> Records:
        """The best matches and their counts; see `Asking.ask`."""
        index = self._asking.index
        asked = await self._asking.ask(organisation_id, text, limit, facets)
        async with self._work(organisation_id) as uow:
            found = {each["id"]: each for each in await uow.documents.some(index.name, asked.hits.ids)}
        items = tuple(record(index, found[str(one)]) for one in asked.hits.ids if str(one) in found)
        told = tuple(
            Facet(name, tuple(bucket(name, value, count, value) for value, count in asked.hits.counts[name].items()))
            for name in asked.wanted.facets
        )
        return Records(items, asked.hits.total, asked.hits.bounded, told, asked.engine, asked.note)
