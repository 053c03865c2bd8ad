"""Search by Elasticsearch. Needs none of the modules that the plain distribution lacks."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError, TransportError
from elasticsearch.helpers import BulkIndexError, async_bulk

from purple.domain.errors import UnavailableError
from purple.domain.search import Difference
from purple.domain.vulnerabilities import Vulnerability
from purple.settings.app import SearchSettings

ALIAS = "purple-vulnerabilities"
"""What is asked: the one index that is in force stands behind it."""
SCHEMA = 2
"""Counts up with the mappings; an index of another one gives way to an empty one, which the relay fills."""
TIMEOUT_S = 10
FIND_S = 3
"""A person waits for this, and PostgreSQL can search in its place."""
PAGE = 1_000
_TEXT = ("title", "description", "host", "url", "weakness", "cve")
_KEYWORDS = ("id", "organisation_id", "target_id", "severity", "state")
MAPPINGS: dict[str, Any] = {
    "dynamic": "strict",
    "_meta": {"schema": SCHEMA},
    "properties": {
        **{name: {"type": "keyword"} for name in _KEYWORDS},
        "risk": {"type": "integer"},
        **{name: {"type": "text"} for name in _TEXT},
    },
}


class Elastic:
    """See `domain.search.Search`."""

    def __init__(self, settings: SearchSettings) -> None:
        password = settings.password.get_secret_value() if settings.password else ""
        self._client = AsyncElasticsearch(
            settings.url,
            basic_auth=(settings.username, password) if settings.username else None,
            request_timeout=TIMEOUT_S,
            retry_on_timeout=True,
            max_retries=1,
        )

    async def _known(self, name: str) -> str:
        """The own id of an index of the present schema; empty where there is none."""
        try:
            found = await self._client.indices.get(index=name)
        except NotFoundError:
            return ""
        present = [each for each in found.values() if each["mappings"].get("_meta", {}).get("schema") == SCHEMA]
        return str(present[0]["settings"]["index"]["uuid"]) if present else ""

    async def _make(self, name: str) -> None:
        try:
            await self._client.indices.create(
                index=name, mappings=MAPPINGS, settings={"number_of_shards": 1, "number_of_replicas": 0}
            )
        except ApiError as error:
            if "resource_already_exists" not in str(error):
                raise

    async def _switch(self, name: str) -> None:
        known = await self._client.indices.get(index=f"{ALIAS}-*", features=["aliases"])
        others = [{"remove_index": {"index": each}} for each in known if each != name]
        await self._client.indices.update_aliases(actions=[{"add": {"index": name, "alias": ALIAS}}, *others])

    async def index(self, rows: Iterable[Vulnerability], into: str = "") -> None:
        """Add or replace, by id; an index that was lost is made by us, not by the bulk with mappings of its own."""
        actions = [{"_index": into or ALIAS, "_id": str(row.id), "_source": _document(row)} for row in rows]
        async with _reached():
            await async_bulk(self._client, actions, refresh=not into, require_alias=not into)

    async def generation(self, index: str = "") -> str:
        """The index's own id; one of the present schema is made and put in force where none is."""
        async with _reached():
            if known := await self._known(index or ALIAS):
                return known
            first = f"{ALIAS}-{SCHEMA}"
            await self._make(first)
            await self._switch(first)
            return await self._known(first)

    async def renew(self) -> str:
        """Behind no alias."""
        name = f"{ALIAS}-{SCHEMA}-{uuid4().hex[:12]}"
        async with _reached():
            await self._make(name)
        return name

    async def put_in_force(self, index: str) -> None:
        """By one change of aliases, which takes those along that a broken attempt left."""
        async with _reached():
            await self._client.indices.refresh(index=index)
            await self._switch(index)

    async def discard(self, index: str) -> None:
        """Delete it."""
        async with _reached():
            await self._client.indices.delete(index=index, ignore_unavailable=True)

    async def compare(
        self, organisation_id: UUID, rows: Sequence[Vulnerability], after: UUID | None, until: UUID | None
    ) -> Difference:
        """Whole documents, by id."""
        mine = {str(row.id): _document(row) for row in rows}
        theirs = {each["id"]: each async for each in self._stored(organisation_id, after, until)}
        both = mine.keys() & theirs.keys()
        found = (mine.keys() - both, theirs.keys() - both, {one for one in both if mine[one] != theirs[one]})
        return Difference(*(tuple(map(UUID, sorted(each))) for each in found))

    async def _stored(
        self, organisation_id: UUID, after: UUID | None, until: UUID | None
    ) -> AsyncIterator[dict[str, Any]]:
        bounds = {name: str(bound) for name, bound in (("gt", after), ("lte", until)) if bound}
        ours: list[dict[str, Any]] = [{"term": {"organisation_id": str(organisation_id)}}]
        query = {"bool": {"filter": [*ours, *([{"range": {"id": bounds}}] if bounds else [])]}}
        last: list[Any] | None = None
        while True:
            async with _reached():
                found = await self._client.search(
                    index=ALIAS, query=query, sort=[{"id": "asc"}], size=PAGE, search_after=last
                )
            hits = found["hits"]["hits"]
            for hit in hits:
                yield hit["_source"]
            if len(hits) < PAGE:
                return
            last = hits[-1]["sort"]

    async def find(self, organisation_id: UUID, text: str, limit: int) -> tuple[UUID, ...]:
        """Ids of the best matches."""
        query = {
            "bool": {
                "filter": [{"term": {"organisation_id": str(organisation_id)}}],
                "must": [
                    {"simple_query_string": {"query": text, "fields": ["title^3", *_TEXT], "default_operator": "and"}}
                ],
            }
        }
        quick = self._client.options(request_timeout=FIND_S, max_retries=0, retry_on_timeout=False)
        async with _reached():
            found = await quick.search(index=ALIAS, query=query, size=limit, source=False)
        return tuple(UUID(hit["_id"]) for hit in found["hits"]["hits"])

    async def ping(self) -> str:
        """The cluster's colour."""
        async with _reached():
            health = await self._client.options(request_timeout=2).cluster.health()
        return f"Elasticsearch is {health['status']}"

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.close()


def _document(row: Vulnerability) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in (*_KEYWORDS, "risk", *_TEXT)}
    return {
        name: list(v) if isinstance(v, tuple) else v if isinstance(v, int) else str(v) for name, v in values.items()
    }


@asynccontextmanager
async def _reached() -> AsyncIterator[None]:
    try:
        yield
    except (ApiError, TransportError, BulkIndexError) as error:
        raise UnavailableError(
            f"Elasticsearch is away: {error}"[:300], remedy="try again; results may be stale meanwhile"
        ) from error
