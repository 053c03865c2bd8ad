"""XML in parts, in bounded memory."""

import io

from purple.toolkit import readers
from purple.toolkit.readers import read_xml


def test_texts_of_elements_are_heard_and_cut() -> None:
    heard: list[str] = []
    data = b"<a><b>one</b><b>" + b"x" * 20_000 + b"</b><b/>ignored</a>"
    assert list(read_xml(io.BytesIO(data), {}, {}, [], 10**6, {"b": heard.append})) == []
    assert [each[:3] for each in heard] == ["one", "xxx", ""]
    assert len(heard[1]) == readers.MAX_ELEMENT_TEXT
