"""Damage to real output: any value of a document in place of any other, any lines in any order."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.support.parsers import Parse, check_text, read

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just("\x00" + "x" * 9000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths_of(document: Any, most: int = 400) -> list[tuple[Any, ...]]:
    """Where the values of a document are, the outermost first."""

    def walk(value: Any, here: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        yield here
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in items:
            yield from walk(inner, (*here, key))

    return sorted(walk(document, ()), key=len)[:most]


@st.composite
def damaged(draw: st.DrawFn, document: Any) -> bytes:
    """The document with another value at one place, or without that place."""
    path = draw(st.sampled_from(paths_of(document)))
    if not path:
        return json.dumps(draw(json_values)).encode()
    made = copy.deepcopy(document)
    holder = made
    for step in path[:-1]:
        holder = holder[step]
    if draw(st.booleans()):
        holder[path[-1]] = draw(json_values)
    else:
        del holder[path[-1]]
    return json.dumps(made).encode()


def muddled(sample: bytes) -> st.SearchStrategy[bytes]:
    """Lines of a text in any order, with others between them."""
    lines = st.sampled_from(sample.splitlines()) | st.binary(max_size=60) | st.text(max_size=30).map(str.encode)
    return st.lists(lines, max_size=12).map(b"\n".join)


def check(parse: Parse, data: bytes) -> None:
    """Whatever is in it: nothing that cannot be kept, and no error but the one of parsers."""
    check_text(read(parse, data)[0])
