"""One search in one index: by Elasticsearch, and by PostgreSQL while that is away."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from purple.domain.errors import InvalidInputError, UnavailableError
from purple.domain.filters import quoted
from purple.domain.pages import MAX_LIMIT
from purple.domain.ports import Work
from purple.domain.queries import parse_query
from purple.domain.search import POSTGRESQL, Hits, Index, Search, Wanted

ALL = "all"
"""Every facet."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One value of a facet."""

    value: str
    """Empty for rows whose value is."""
    label: str
    """For people: the name of a target or the path of a business unit."""
    count: int
    term: str
    """Added to the query it finds these alone."""


@dataclass(frozen=True, slots=True)
class Facet:
    """How many matches have each value of a field."""

    name: str
    buckets: tuple[Bucket, ...]
    """The most frequent."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an index found."""

    wanted: Wanted
    hits: Hits
    engine: str
    """Who answered: `elasticsearch` or `postgresql`."""
    note: str
    """Empty, or why PostgreSQL answered, in whose order words count for nothing."""


class Asking:
    """Reads a query in the fields of an index and asks whoever is there."""

    def __init__(self, work: Work, index: Index, search: Search) -> None:
        self._work = work
        self._search = search
        self.index = index

    async def ask(self, organisation_id: UUID, text: str, limit: int, facets: Collection[str] = ()) -> Asked:
        """The best matches and their counts.

        Args:
            organisation_id: whose.
            text: the query.
            limit: of matches, 0 to 200.
            facets: names of those wanted, or `all`.

        Raises:
            InvalidInputError: the query cannot be read, or names a field, value or facet that there is not.
            UnavailableError: PostgreSQL is away.
        """
        written = parse_query(text)
        conditions = self.index.fields.conditions(written.terms)
        wanted = Wanted(conditions, written.phrases, min(limit, MAX_LIMIT), self._chosen(facets))
        engine = self._search.engine
        if engine == POSTGRESQL:
            return Asked(wanted, await self._search.find(organisation_id, wanted), engine, "")
        async with self._work(organisation_id) as uow:
            settled = replace(wanted, conditions=await uow.documents.settled(conditions))
        try:
            return Asked(wanted, await self._search.find(organisation_id, settled), engine, "")
        except UnavailableError as error:
            note = f"PostgreSQL searched, worst risk first: {error.detail}"
        async with self._work(organisation_id) as uow:
            return Asked(wanted, await uow.documents.find(self.index.name, wanted), POSTGRESQL, note)

    def _chosen(self, facets: Collection[str]) -> Mapping[str, int]:
        known = self.index.facets
        for name in facets:
            if name not in known and name != ALL:
                raise InvalidInputError(
                    f"there is no facet {name!r}", field="facet", value=name, remedy=f"use {ALL}, {', '.join(known)}"
                )
        return known if ALL in facets else {name: most for name, most in known.items() if name in facets}


def bucket(name: str, value: str, count: int, label: str) -> Bucket:
    """With the term that finds it."""
    return Bucket(value, label or "none", count, f"{name}:{quoted(value) if value else 'none'}")
