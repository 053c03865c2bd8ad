"""An index as Elasticsearch is told of it. Needs none of the modules that the plain distribution lacks.

With every module a text could be of the type `wildcard`; a keyword in lower case answers the same questions everywhere.
"""

import hashlib
import json
from typing import Any

from purple.domain.conditions import Kind, Shape
from purple.domain.search import Index

LONGEST = 8_191
"""Characters of a value that are kept to be compared: Lucene takes 32,766 bytes."""
FOLDED = "folded"
"""The part of a text in which letters have no case."""
_KEYWORD = {"type": "keyword", "ignore_above": LONGEST}
_FOLDED = {"type": "keyword", "ignore_above": LONGEST, "normalizer": "lowercase"}
_WORDS = {"type": "text", "analyzer": "whitespace", "norms": False}
"""They come folded."""


def mappings(index: Index) -> dict[str, Any]:
    """Of an index of rows; a field that is not known is refused."""
    properties = {name: _field(shape) for name, shape in index.fields.shapes.items()}
    texts = {"organisation_id": _KEYWORD, "words": _WORDS, "heading": _WORDS}
    return {"dynamic": "strict", "properties": properties | texts}


def schema(index: Index) -> str:
    """Names the mappings: an index of others gives way to an empty one, which the relay fills."""
    return hashlib.sha256(json.dumps(mappings(index), sort_keys=True).encode()).hexdigest()[:8]


def _field(shape: Shape) -> dict[str, Any]:
    match shape.kind:
        case Kind.MOMENT:
            return {"type": "long"}
        case Kind.NUMBER:
            return {"type": "integer" if shape.whole else "double"}
        case Kind.TEXT | Kind.SEVERAL if not shape.related:
            return _KEYWORD | {"fields": {FOLDED: _FOLDED}}
        case _:
            return _KEYWORD
