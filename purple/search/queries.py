"""Conditions and words in Elasticsearch's words."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from purple.domain.conditions import Compared, Condition, Holds, Kind, Test, Within, Without
from purple.domain.filters import Operator
from purple.domain.queries import Phrase
from purple.domain.search import Wanted
from purple.search.mapping import FOLDED

Clause = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RANGES = {Operator.ABOVE: "gt", Operator.FROM: "gte", Operator.BELOW: "lt", Operator.UP_TO: "lte"}
_WILD = str.maketrans({each: f"\\{each}" for each in "\\*?"})
NOTHING: Clause = {"match_none": {}}


def query(organisation_id: UUID, wanted: Wanted, now: datetime) -> Clause:
    """All of it: words score, conditions do not."""
    held = [{"term": {"organisation_id": str(organisation_id)}}]
    held += [clause(each, now) for each in wanted.conditions if not each.negated]
    barred = [clause(each, now) for each in wanted.conditions if each.negated]
    barred += [words("words", each) for each in wanted.phrases if each.negated]
    sought = [each for each in wanted.phrases if not each.negated]
    return {
        "bool": {
            "filter": held,
            "must_not": barred,
            "must": [words("words", each) for each in sought],
            "should": [words("heading", each) for each in sought],
        }
    }


def clause(condition: Condition, now: datetime) -> Clause:
    """What a condition asks, whether or not it is negated."""
    found = [_test(condition, each, now) for each in condition.tests]
    return found[0] if len(found) == 1 else {"bool": {"should": found, "minimum_should_match": 1}}


def _test(condition: Condition, test: Test, now: datetime) -> Clause:
    name = condition.name
    match test:
        case Without():
            return _without(condition)
        case Holds():
            return _holds(condition, test.text)
        case Compared():
            value = test.value if test.ago is None else now - test.ago
            return {"range": {name: {_RANGES[test.operator]: told(value)}}}
        case Within():
            return {"range": {name: {"gte": told(test.start), "lt": told(test.end)}}}
        case _:
            return {"terms": {name: [told(each) for each in test.values]}} if test.values else NOTHING


def _without(condition: Condition) -> Clause:
    shape, name = condition.shape, condition.name
    if shape.kind is Kind.TEXT and not shape.nullable:
        return {"term": {name: ""}}
    return {"bool": {"must_not": [{"exists": {"field": name}}]}}


def _holds(condition: Condition, text: str) -> Clause:
    if not text and condition.shape.kind is Kind.SEVERAL:
        return {"match_all": {}}
    pattern = f"*{text.lower().translate(_WILD)}*"
    return {"wildcard": {f"{condition.name}.{FOLDED}": {"value": pattern}}}


def words(field: str, phrase: Phrase) -> Clause:
    """Words that follow one another in a text that was folded."""
    if phrase.open:
        return {"prefix": {field: {"value": phrase.tokens[0]}}}
    if len(phrase.tokens) == 1:
        return {"term": {field: {"value": phrase.tokens[0]}}}
    return {"match_phrase": {field: {"query": " ".join(phrase.tokens)}}}


def told(value: Any) -> Any:
    """A value as a document has it."""
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MICROSECOND
    return value if isinstance(value, (int, float)) else str(value)


def facets(wanted: Mapping[str, int]) -> dict[str, Any]:
    """The most frequent values of each field; exact, since an index is of one shard."""
    order = [{"_count": "desc"}, {"_key": "asc"}]
    return {name: {"terms": {"field": name, "size": most, "order": order}} for name, most in wanted.items()}


def counts(names: Iterable[str], answer: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What the answer says of them."""
    told_of = answer.get("aggregations", {})
    return {name: {str(each["key"]): each["doc_count"] for each in told_of[name]["buckets"]} for name in names}
