"""Searching what was found, with who has what and where words stand."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from purple.domain.errors import NotFoundError
from purple.domain.pages import MAX_LIMIT, Query
from purple.domain.ports import UnitOfWork, Work
from purple.domain.queries import Phrase, marks
from purple.domain.search import Index, Search
from purple.domain.units import Unit
from purple.domain.vulnerabilities import Vulnerability
from purple.services.asking import ALL, Asking, Bucket, Facet, bucket

SHOWN = 10
"""Values of a facet."""
MARKED = ("title", "description", "host", "url", "parameter", "weakness")
"""Texts in which words are marked."""
_UNIT, _TARGET = "unit", "target_id"

Marks = Mapping[str, Sequence[tuple[int, int]]]
"""By the name of a text the places in it that match: start and end, in characters."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found; rows come from PostgreSQL and are never stale."""

    items: tuple[Vulnerability, ...]
    marks: Mapping[UUID, Marks]
    total: int
    bounded: bool
    """Whether there are more than were counted, and counts are at least."""
    facets: tuple[Facet, ...]
    engine: str
    """Who answered: `elasticsearch` or `postgresql`."""
    note: str = ""
    """Empty, or why PostgreSQL answered, in whose order the highest risk comes first."""


class Searching:
    """One query language over words and fields: see `domain.queries`."""

    def __init__(self, work: Work, index: Index, search: Search) -> None:
        self._work = work
        self._asking = Asking(work, index, search)

    async def search(self, organisation_id: UUID, text: str, limit: int, facets: Collection[str] = ()) -> Found:
        """The best matches and their counts; see `Asking.ask`."""
        asked = await self._asking.ask(organisation_id, text, limit, facets)
        hits, wanted = asked.hits, asked.wanted
        async with self._work(organisation_id) as uow:
            page = await uow.findings.vulnerabilities(Query({"id": list(hits.ids)}, limit=MAX_LIMIT))
            known = {each.id: each for each in page.items}
            items = tuple(known[one] for one in hits.ids if one in known)
            told = tuple([await _facet(uow, name, hits.counts[name]) for name in wanted.facets])
        return Found(items, _marked(items, wanted.phrases), hits.total, hits.bounded, told, asked.engine, asked.note)


def _marked(items: Sequence[Vulnerability], phrases: tuple[Phrase, ...]) -> dict[UUID, Marks]:
    if not phrases:
        return {}
    told = {each.id: {name: marks(getattr(each, name), phrases) for name in MARKED} for each in items}
    return {key: {name: spans for name, spans in texts.items() if spans} for key, texts in told.items()}


async def _facet(uow: UnitOfWork, name: str, counts: Mapping[str, int]) -> Facet:
    if name == _UNIT:
        return Facet(name, _units(await uow.unit_tree.all(), counts))
    labels = await _targets(uow, counts) if name == _TARGET else {}
    first = list(counts.items())[:SHOWN]
    return Facet(name, tuple(bucket(name, value, count, labels.get(value, value)) for value, count in first))


async def _targets(uow: UnitOfWork, counts: Mapping[str, int]) -> dict[str, str]:
    ids = [UUID(each) for each in list(counts)[:SHOWN]]
    try:
        return {str(each.id): each.name for each in await uow.targets.several(ids)}
    except NotFoundError:  # the index knows one that is gone
        return {}


def _units(units: Sequence[Unit], counts: Mapping[str, int]) -> tuple[Bucket, ...]:
    """Each with all that is below it, as the filter finds them."""
    sums: dict[UUID, int] = {}
    for unit in units:
        for above in unit.lineage:
            sums[above] = sums.get(above, 0) + counts.get(str(unit.id), 0)
    paths = {each.id: each.path for each in units}
    first = sorted((each for each in sums.items() if each[1]), key=lambda each: (-each[1], paths[each[0]]))
    return tuple(bucket(_UNIT, str(key), count, paths[key]) for key, count in first[:SHOWN])


__all__ = ["ALL", "Found", "Marks", "Searching"]
