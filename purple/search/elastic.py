"""Search by Elasticsearch. Needs none of the modules that the plain distribution lacks."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from elasticsearch import ApiError, AsyncElasticsearch, TransportError
from elasticsearch.helpers import BulkIndexError, async_bulk

from purple.domain.errors import UnavailableError
from purple.domain.vulnerabilities import Vulnerability
from purple.settings.app import SearchSettings

INDEX = "purple-vulnerabilities-1"
ALIAS = "purple-vulnerabilities"
TIMEOUT_S = 10
FIND_S = 3
"""A person waits for this, and PostgreSQL can search in its place."""
_TEXT = ("title", "description", "host", "url", "weakness", "cve")
MAPPINGS: dict[str, Any] = {
    "dynamic": "strict",
    "properties": {
        "organisation_id": {"type": "keyword"},
        "target_id": {"type": "keyword"},
        "severity": {"type": "keyword"},
        "state": {"type": "keyword"},
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
        self._ready = False

    async def _prepare(self) -> None:
        if self._ready:
            return
        if not await self._client.indices.exists(index=INDEX):
            try:
                await self._client.indices.create(
                    index=INDEX,
                    mappings=MAPPINGS,
                    settings={"number_of_shards": 1, "number_of_replicas": 0},
                    aliases={ALIAS: {}},
                )
            except ApiError as error:
                if "resource_already_exists" not in str(error):
                    raise
        self._ready = True

    async def index(self, rows: Iterable[Vulnerability]) -> None:
        """Add or replace, by id."""
        actions = [{"_index": ALIAS, "_id": str(row.id), "_source": _document(row)} for row in rows]
        try:
            await self._prepare()
            # an index that was lost is to be made by us, not by the bulk with mappings of its own
            await async_bulk(self._client, actions, refresh=True, require_alias=True)
        except (ApiError, TransportError, BulkIndexError) as error:
            self._ready = False
            raise _away(error) from error

    async def generation(self) -> str:
        """The index's own id; it is made where it is missing."""
        try:
            await self._prepare()
            told = await self._client.indices.get_settings(index=INDEX, name="index.uuid")
        except (ApiError, TransportError) as error:
            self._ready = False  # where the index is gone, the next call makes it
            raise _away(error) from error
        return str(told[INDEX]["settings"]["index"]["uuid"])

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
        try:
            await self._prepare()
            quick = self._client.options(request_timeout=FIND_S, max_retries=0, retry_on_timeout=False)
            found = await quick.search(index=ALIAS, query=query, size=limit, source=False)
        except (ApiError, TransportError) as error:
            self._ready = False
            raise _away(error) from error
        return tuple(UUID(hit["_id"]) for hit in found["hits"]["hits"])

    async def ping(self) -> str:
        """The cluster's colour."""
        try:
            health = await self._client.options(request_timeout=2).cluster.health()
        except (ApiError, TransportError) as error:
            raise _away(error) from error
        return f"Elasticsearch is {health['status']}"

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.close()


def _document(row: Vulnerability) -> dict[str, Any]:
    names = ("organisation_id", "target_id", "severity", "state", "risk", *_TEXT)
    values = {name: getattr(row, name) for name in names}
    return {
        name: list(v) if isinstance(v, tuple) else v if isinstance(v, int) else str(v) for name, v in values.items()
    }


def _away(error: Exception) -> UnavailableError:
    return UnavailableError(f"Elasticsearch is away: {error}"[:300], remedy="try again; results may be stale meanwhile")
