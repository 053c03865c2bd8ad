"""JSON in parts: each as soon as it is whole, in bounded memory, whatever the bytes are."""

import contextlib
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.errors import ParseError
from purple.toolkit import readers
from purple.toolkit.readers import read_parts, read_xml


def parts(data: bytes, *wanted: str, limit: int = 10**9) -> tuple[list[tuple[str, Any]], str]:
    found: list[tuple[str, Any]] = []
    try:
        found.extend((path, value) for path, _, value in read_parts(io.BytesIO(data), wanted, limit))
    except ParseError as error:
        return found, str(error)
    return found, ""


DOCUMENT = {"runs": [{"name": "a", "results": [1, {"x": [2, {}]}, []]}, {"results": [None]}], "results": ["not this"]}


def test_parts_come_in_the_order_of_the_document() -> None:
    found, error = parts(json.dumps(DOCUMENT).encode(), "runs.*.name", "runs.*.results.*")
    assert not error
    assert found == [
        ("runs.*.name", "a"),
        ("runs.*.results.*", 1),
        ("runs.*.results.*", {"x": [2, {}]}),
        ("runs.*.results.*", []),
        ("runs.*.results.*", None),
    ]


def test_each_part_knows_its_item_of_the_outermost_array_and_arrays_tell_that_they_are_there() -> None:
    data = json.dumps({"runs": [{"r": [1, 2]}, {"r": []}, {"r": [[3]]}, {}]}).encode()
    found = list(read_parts(io.BytesIO(data), ["runs.*.r.*"], 10**6, ["runs.*.r", "runs.*"]))
    assert [(item, value) for path, item, value in found if path == "runs.*.r.*"] == [(0, 1), (0, 2), (2, [3])]
    assert [item for path, item, _ in found if path == "runs.*.r"] == [0, 1, 2]
    assert [item for path, item, _ in found if path == "runs.*"] == [0, 1, 2, 3]


def test_what_came_before_the_end_of_a_broken_document_is_kept() -> None:
    data = json.dumps(DOCUMENT).encode()
    found, error = parts(data[: data.index(b", {}]")], "runs.*.results.*")
    assert found == [("runs.*.results.*", 1)]
    assert "breaks off" in error


def test_a_document_over_the_limit_keeps_what_fits() -> None:
    data = json.dumps([["x" * 100] for _ in range(1000)]).encode()
    found, error = parts(data, "*", limit=50_000)
    assert 300 < len(found) < 1000
    assert "larger than 50000 bytes" in error


def test_a_part_that_is_too_large_is_told_and_the_others_are_kept() -> None:
    found, error = parts(json.dumps([1, [0] * 60_000, ["x" * 3_300_000], 2]).encode(), "*")
    assert not error
    assert found == [("*", 1), ("*", None), ("*", None), ("*", 2)]


@pytest.mark.parametrize("data", [b"[" * 100, b'{"a":' * 100, b"[" * 3_000_000])
def test_deep_documents_are_refused(data: bytes) -> None:
    assert "nested too deeply" in parts(data, "*")[1]


def test_a_text_without_end_is_refused_before_it_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_VALUE", 100_000)
    assert "a value is larger than 100000 bytes" in parts(b'["' + b"x" * 300_000, "*")[1]


def test_memory_does_not_grow_with_the_document() -> None:
    class Endless(io.RawIOBase):
        """Ten million bytes of items, made as they are read."""

        left = 10_000_000

        def read(self, size: int = -1) -> bytes:
            Endless.left -= size
            return (b'{"a":"' + b"x" * 87 + b'"},') * (size // 96) if Endless.left > 0 else b""

    class Opened(Endless):
        opened = False

        def read(self, size: int = -1) -> bytes:
            if not self.opened:
                self.opened = True
                return b"["
            return super().read(size)

    tracemalloc.start()
    seen = 0
    with contextlib.suppress(ParseError):  # the document has no end
        for _ in read_parts(Opened(), ["*"], 10**9):  # type: ignore[arg-type]
            seen += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen > 80_000
    assert peak < 2_000_000


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_crash_it(data: bytes) -> None:
    found, error = parts(data, "*")
    try:
        loaded = json.loads(data)
    except ValueError:
        return
    assert error or found == [("*", each) for each in (loaded if isinstance(loaded, list) else ())]


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
