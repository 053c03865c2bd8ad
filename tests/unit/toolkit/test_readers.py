"""XML in parts, in bounded memory."""

import io

import pytest

from purple.domain.errors import ParseError
from purple.toolkit import readers
from purple.toolkit.readers import read_xml


def test_texts_of_elements_are_heard_and_cut() -> None:
    heard: list[str] = []
    data = b"<a><b>one</b><b>" + b"x" * 20_000 + b"</b><b/>ignored</a>"
    assert list(read_xml(io.BytesIO(data), {}, {}, [], 10**6, {"b": heard.append})) == []
    assert [each[:3] for each in heard] == ["one", "xxx", ""]
    assert len(heard[1]) == readers.MAX_ELEMENT_TEXT


@pytest.mark.parametrize("encoding", ["x-unknown", "utf-7", "utf_16_be_sig", "shift_jis", "rot13", "idna"])
def test_an_encoding_that_cannot_be_read_is_said_so(encoding: str) -> None:
    data = f"<?xml version='1.0' encoding='{encoding}'?><a/>".encode()
    with pytest.raises(ParseError):
        list(read_xml(io.BytesIO(data), {}, {}, [], 10**6))
