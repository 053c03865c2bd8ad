"""Search by Elasticsearch. Needs none of the modules that the plain distribution lacks."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import orjson
from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError, TransportError

from purple.domain.clock import Clock
from purple.domain.errors import UnavailableError
from purple.domain.search import Difference, Document, Hits, Index, Wanted
from purple.search import queries
from purple.search.mapping import mappings, schema
from purple.settings.app import SearchSettings

TIMEOUT_S = 10
FIND_S = 3
"""A person waits for this, and PostgreSQL can search in its place."""
PAGE = 1_000
SWITCHES = 5
"""How often a change of aliases is tried that others forestall."""
_WRONG = ["errors", "items.index.error"]
"""What a bulk answers: what went wrong alone, not a line for each document that went well.

https://www.elastic.co/guide/en/elasticsearch/reference/7.17/common-options.html#common-options-response-filtering
"""
TOGETHER = 3
"""Facets that one search counts. Searches of a request run side by side, and each reads through what is found anew."""


def alias_of(name: str) -> str:
    """What is asked: the one index that is in force stands behind it."""
    return f"purple-{name.replace('_', '-')}"


def connected(settings: SearchSettings) -> AsyncElasticsearch:
    """A client of the server that the settings name."""
    password = settings.password.get_secret_value() if settings.password else ""
    return AsyncElasticsearch(
        settings.url,
        basic_auth=(settings.username, password) if settings.username else None,
        request_timeout=TIMEOUT_S,
        retry_on_timeout=True,
        max_retries=1,
    )


class Elastic:
    """See `domain.search.Search`."""

    engine = "elasticsearch"

    def __init__(self, client: AsyncElasticsearch, index: Index, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._mappings = mappings(index)
        self._first = [{name: "desc"} for name in (*index.first, "id")]
        self.schema = schema(index)
        self.alias = alias_of(index.name)

    async def _known(self, name: str) -> str:
        """The own id of an index of the present schema; empty where there is none."""
        try:
            found = await self._client.indices.get(index=name)
        except NotFoundError:
            return ""
        present = [each for each in found.values() if each["mappings"].get("_meta", {}).get("schema") == self.schema]
        return str(present[0]["settings"]["index"]["uuid"]) if present else ""

    async def _make(self, name: str) -> None:
        """By the template, which is put first: whoever else makes an index of this name makes the same.

        A bulk into one that is gone makes none: it would hold the rest of what was to be in it.
        """
        template = {
            "mappings": self._mappings | {"_meta": {"schema": self.schema}},
            "settings": {"number_of_shards": 1, "number_of_replicas": 0},
        }
        pattern = f"{self.alias}-{self.schema}*"
        await self._client.indices.put_index_template(
            name=self.alias, index_patterns=[pattern], template=template, allow_auto_create=False
        )
        try:
            await self._client.indices.create(index=name)
        except ApiError as error:
            if "resource_already_exists" not in str(error):
                raise

    async def _switch(self, name: str) -> None:
        """Whoever finds an index that is out of date puts it away: it may be gone before our change is made."""
        for attempt in range(SWITCHES):
            known = await self._client.indices.get(index=f"{self.alias}-*", features=["aliases"])
            others = [{"remove_index": {"index": each}} for each in known if each != name]
            actions = [{"add": {"index": name, "alias": self.alias}}, *others]
            try:
                await self._client.indices.update_aliases(actions=actions)
            except NotFoundError:
                if attempt == SWITCHES - 1:
                    raise
            else:
                return

    async def index(self, documents: Sequence[Document], into: str = "") -> None:
        """Add or replace, by id; an index that was lost is made by us, not by the bulk with mappings of its own."""
        if not documents:
            return
        lines: list[bytes] = []
        for each in documents:
            lines += (orjson.dumps({"index": {"_id": each["id"]}}), orjson.dumps(each))
        async with _reached():
            done = await self._client.bulk(
                index=into or self.alias,
                operations=lines,  # type: ignore[arg-type]  # lines that are written may be given too
                require_alias=not into,
                filter_path=_WRONG,
            )
        if done["errors"]:
            wrong = done["items"][0]["index"]["error"]
            raise _away(f"{wrong.get('type')}: {wrong.get('reason')}")

    async def refresh(self) -> None:
        """Have what was indexed found."""
        async with _reached():
            await self._client.indices.refresh(index=self.alias)

    async def generation(self, index: str = "") -> str:
        """The index's own id; one of the present schema is made and put in force where none is."""
        async with _reached():
            if known := await self._known(index or self.alias):
                return known
            first = f"{self.alias}-{self.schema}"
            await self._make(first)
            await self._switch(first)
            return await self._known(first)

    async def renew(self) -> str:
        """Behind no alias."""
        name = f"{self.alias}-{self.schema}-{uuid4().hex[:12]}"
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
        self, organisation_id: UUID, documents: Sequence[Document], after: UUID | None, until: UUID | None
    ) -> Difference:
        """Whole documents, by id."""
        mine = {each["id"]: each for each in documents}
        theirs = {each["id"]: each async for each in self._stored(organisation_id, after, until)}
        both = mine.keys() & theirs.keys()
        found = (mine.keys() - both, theirs.keys() - both, {one for one in both if mine[one] != theirs[one]})
        return Difference(*(tuple(map(UUID, sorted(each))) for each in found))

    async def _stored(self, organisation_id: UUID, after: UUID | None, until: UUID | None) -> AsyncIterator[Document]:
        bounds = {name: str(bound) for name, bound in (("gt", after), ("lte", until)) if bound}
        ours: list[dict[str, Any]] = [{"term": {"organisation_id": str(organisation_id)}}]
        query = {"bool": {"filter": [*ours, *([{"range": {"id": bounds}}] if bounds else [])]}}
        last: list[Any] | None = None
        while True:
            async with _reached():
                found = await self._client.search(
                    index=self.alias, query=query, sort=[{"id": "asc"}], size=PAGE, search_after=last
                )
            hits = found["hits"]["hits"]
            for hit in hits:
                yield hit["_source"]
            if len(hits) < PAGE:
                return
            last = hits[-1]["sort"]

    async def find(self, organisation_id: UUID, wanted: Wanted) -> Hits:
        """By how well words match, the title's above all.

        Several searches in one request: counts without hits stay in the shard's cache until something in the index
        changes, and hits without counts are read in the order of their index, no further than the page.
        https://www.elastic.co/guide/en/elasticsearch/reference/7.17/shard-request-cache.html
        """
        asked: dict[str, Any] = {"query": queries.query(organisation_id, wanted, self._clock.now())}
        scores = [{"_score": "desc"}] if any(not each.negated for each in wanted.phrases) else []
        first = {"sort": [*scores, *self._first], "size": wanted.limit, "_source": False, "track_total_hits": False}
        searches: list[dict[str, Any]] = [{}, asked | first]
        parts = _parts(wanted.facets)
        for part in parts:
            count = {"aggregations": queries.facets(part), "size": 0, "track_total_hits": True}
            searches += ({"request_cache": True}, asked | count)
        quick = self._client.options(request_timeout=FIND_S, max_retries=0, retry_on_timeout=False)
        async with _reached():
            found, *counted = (await quick.msearch(index=self.alias, searches=searches))["responses"]
        for answer in (found, *counted):
            if "error" in answer:
                raise _away(answer["error"]["reason"])
        ids = tuple(UUID(each["_id"]) for each in found["hits"]["hits"])
        counts: dict[str, dict[str, int]] = {}
        for part, answer in zip(parts, counted, strict=True):
            counts |= queries.counts(part, answer)
        return Hits(ids, counted[0]["hits"]["total"]["value"], counts)

    async def ping(self) -> str:
        """The cluster's colour."""
        async with _reached():
            health = await self._client.options(request_timeout=2).cluster.health()
        return f"Elasticsearch is {health['status']}"


def indices(client: AsyncElasticsearch, known: Iterable[Index], clock: Clock) -> dict[str, Elastic]:
    """Each of them, by name."""
    return {each.name: Elastic(client, each, clock) for each in known}


def _parts(facets: Mapping[str, int]) -> list[dict[str, int]]:
    """Facets that are counted together; one part without any where only the total is asked for."""
    known = [*facets.items()]
    return [dict(known[at : at + TOGETHER]) for at in range(0, len(known), TOGETHER)] or [{}]


@asynccontextmanager
async def _reached() -> AsyncIterator[None]:
    try:
        yield
    except (ApiError, TransportError) as error:
        raise _away(str(error)) from error


def _away(reason: str) -> UnavailableError:
    return UnavailableError(
        f"Elasticsearch is away: {reason}"[:300], remedy="try again; results may be stale meanwhile"
    )
