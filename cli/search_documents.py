"""What `-o json` writes of searches; the fields are stable, as those of `documents` are."""

from typing import Any

from cli import documents

SAVED = ("id", "name", "owner", "query", "shared", "alert", "created_at", "version")


def search(found: Any) -> dict[str, Any]:
    """`purple.search-result/1`: the best matches, where their words stand, and how many there are of each facet."""
    return {
        "schema": "purple.search-result/1",
        **_counted(found),
        "items": [documents.vulnerability(each) for each in found.items],
        "marks": {str(key): {name: list(spans) for name, spans in each.items()} for key, each in found.marks.items()},
    }


def records(index: str, found: Any) -> dict[str, Any]:
    """`purple.search-records/1`: rows of an index by their fields."""
    return {"schema": "purple.search-records/1", "index": index, **_counted(found), "items": list(found.items)}


def _counted(found: Any) -> dict[str, Any]:
    bucket = ("value", "label", "count", "term")
    return {name: getattr(found, name) for name in ("engine", "note", "total", "bounded")} | {
        "facets": {
            facet.name: [{name: getattr(each, name) for name in bucket} for each in facet.buckets]
            for facet in found.facets
        }
    }


def saved_search(row: Any) -> dict[str, Any]:
    """`purple.saved-search/1`."""
    return {"schema": "purple.saved-search/1", **{name: getattr(row, name) for name in SAVED}}
