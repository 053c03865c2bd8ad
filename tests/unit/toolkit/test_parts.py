"""JSON in parts: each as soon as it is whole, in bounded memory, whatever the bytes are."""

import contextlib
import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.errors import ParseError
from purple.toolkit import parts as module
from purple.toolkit.parts import read_parts


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


@pytest.mark.parametrize(
    "data",
    [b"[" * 100, b'{"a":' * 100, b"[" * 3_000_000, b"[" * 65 + b"]" * 65, b'[{"a":' + b"[" * 63 + b"]" * 63 + b"}]"],
)
def test_deep_documents_are_refused(data: bytes) -> None:
    assert "nested too deeply" in parts(data, "*")[1]


def test_a_text_without_end_is_refused_before_it_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_VALUE", 100_000)
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


def test_what_is_as_deep_as_it_may_be_is_read() -> None:
    assert parts(b"[" * 64 + b"]" * 64, "*")[1] == ""
    assert parts(b'["' + b"[" * 100 + b'"]', "*") == ([("*", "[" * 100)], "")


@pytest.mark.parametrize(
    "data",
    [
        b"", b" ", b"[1]x", b"[1] [2]", b"[1,]", b"[1 2]", b"[,1]", b"[1", b"[1,", b'{"a":1,}', b'{"a" 1}', b'{"a"}',
        b"[NaN]", b"[-Infinity]", b"[[NaN]]", b"[1e999]", b"[[1e999]]", b"[" + b"9" * 30 + b"]", b"[01]", b"[.5]",
        b"[1.]", b"{1:2}", b"[tru]", b"nul", b"[\xff]", b'["\xed\xa0\x80"]', b'["\n"]', b'["\\x"]', b'["\\u12"]',
        b"/* a */[1]",        b"'a'", b"[1]\xff",
    ],
)  # fmt: skip
def test_what_is_no_json_breaks_off(data: bytes) -> None:
    assert "breaks off" in parts(data, "*", "a")[1]


def test_halves_of_surrogate_pairs_are_replaced_and_whole_ones_are_kept() -> None:
    data = rb'["\ud800", {"\uDC00": ["a\udfffb"]}, "\ud83d\ude00", "\\ud800"]'
    assert [value for _, value in parts(data, "*")[0]] == ["?", {"?": ["a?b"]}, "\U0001f600", "\\ud800"]


def test_numbers_keep_their_kind_and_a_mark_at_the_beginning_is_none_of_them() -> None:
    found, error = parts(b"\xef\xbb\xbf[1, 1.0, -9223372036854775808, 1e3]", "*")
    assert not error
    assert [repr(value) for _, value in found] == ["1", "1.0", "-9223372036854775808", "1000.0"]


@pytest.mark.parametrize("data", [b"[" + b"1" * 300_000, b"[" + b"1" * 300_000 + b"]"])
def test_a_number_without_end_is_refused(data: bytes) -> None:
    assert "a number is larger than" in parts(data, "*")[1]


class Drip(io.RawIOBase):
    """A stream that gives as few bytes at a time as it is told, again and again."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data, self.sizes, self.turn = data, sizes, 0

    def read(self, size: int = -1) -> bytes:
        self.turn += 1
        some = min(size, self.sizes[self.turn % len(self.sizes)])
        given, self.data = self.data[:some], self.data[some:]
        return given


WANTED = ("a.*", "b.c", "*.a", "*.*.b", "*.b", "c", "*.c.*.a")
scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
documents = st.recursive(
    scalars | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc") | st.text(max_size=3), inner),
    max_leaves=30,
)


def looked_up(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The same in the plain way, from a document that was loaded whole."""
    for path in WANTED:
        if place == tuple(path.split(".")):
            yield path, value
            return
    if isinstance(value, list):
        for each in value:
            yield from looked_up(each, (*place, "*"))
    if isinstance(value, dict):
        for key, each in value.items():
            yield from looked_up(each, (*place, "\0" if key == "*" else key))


def small_windows(patch: pytest.MonkeyPatch, chunk: int, room: int) -> None:
    patch.setattr(module, "CHUNK", chunk)
    patch.setattr(module, "MAX_DROPPED", room)


@settings(max_examples=300, deadline=None)
@given(documents, st.lists(st.integers(1, 9), min_size=1), st.booleans(), st.sampled_from([1, 20, 10**6]), st.data())
def test_parts_are_what_a_look_into_the_loaded_document_finds(
    document: Any, sizes: list[int], escape: bool, room: int, data: st.DataObject
) -> None:
    text = json.dumps(document, ensure_ascii=escape, indent=data.draw(st.sampled_from([None, 1]))).encode()
    expected = list(looked_up(document))
    with pytest.MonkeyPatch.context() as patch:
        small_windows(patch, data.draw(st.sampled_from([1, 8, 50, 300])), room)
        assert [(path, value) for path, _, value in read_parts(Drip(text, sizes), WANTED, 10**6)] == expected  # type: ignore[arg-type]
        end = data.draw(st.integers(0, max(0, len(text) - 1)))
        found, error = parts(text[:end], *WANTED)
        assert found == expected[: len(found)]
        whole_number = isinstance(document, int | float) and not isinstance(document, bool)
        assert error or whole_number
        limited, error = parts(text, *WANTED, limit=end)
        assert limited == expected[: len(limited)]
        assert error


@settings(max_examples=300, deadline=None)
@given(
    documents, st.lists(st.tuples(st.integers(0, 10**4), st.integers(-1, 255)), max_size=4), st.sampled_from([1, 10**6])
)
def test_damaged_documents_are_refused_as_the_whole_decoder_does(
    document: Any, damage: list[tuple[int, int]], room: int
) -> None:
    data = bytearray(json.dumps(document).encode())
    for where, byte in damage:
        place = where % (len(data) + 1)
        data[place : place + 1] = bytes([byte]) if byte >= 0 else b""
    with pytest.MonkeyPatch.context() as patch:
        small_windows(patch, 8, room)
        found, error = parts(bytes(data), *WANTED)
    try:
        text = data.decode("utf-8-sig")
        json.loads(text)
    except ValueError:
        assert error
        return
    with contextlib.suppress(ValueError):  # a key that stands twice is met twice
        loaded = json.loads(text, object_pairs_hook=once)
        assert found == list(looked_up(loaded)) or error or b"\\ud" in data.lower()
    assert not error or any(why in error for why in ("larger than", "no JSON", "UTF-8"))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("twice")
    return dict(pairs)


class Counting(json.JSONDecoder):
    """Counts the characters that it looked at."""

    looked = 0

    def raw_decode(self, s: str, idx: int = 0) -> tuple[Any, int]:
        try:
            value, end = super().raw_decode(s, idx)
        except ValueError:
            self.looked += len(s) - idx
            raise
        self.looked += end - idx
        return value, end


K = 1024
HOSTILE = {
    "lists in lists": b"[" * 60 + b"1," * (300 * K),
    "wide and deep": (b"[" * 30 + b"{}," * (50 * K) + b"1" + b"]" * 30 + b",") * 2,
    "a long text": b'{"a":{"b":["' + b"x" * (600 * K),
    "texts after texts": b'{"b":["' + b'x","' * (200 * K),
    "a break in a large part": b"[[" + b"1," * (200 * K) + b"x" + b",1" * (200 * K),
    "NaN at once": b"[[NaN," + b"1," * (300 * K),
    "objects that do not end": b'[{"a":' + b'{"a":[{},' * 20 + b"{}," * (100 * K),
    "large parts": b"[" + (b"[" + b"[]," * (50 * K) + b"0],") * 4,
    "parts just over a window": b"[" + (b'["' + b"x" * (9 * K) + b'"],') * 60,
    "members over a window in what is dropped": b'{"x":[' + (b'[["' + b"x" * (40 * K) + b'"],{"a":0,"b":[]}],') * 20,
    "spaces": b"[" + b" " * (600 * K),
    "brackets in texts": b"[" + (b'["' + b"[{" * (10 * K) + b'"],') * 40,
}


@pytest.mark.parametrize("wanted", ["*", "a.*", "none"])
@pytest.mark.parametrize("name", HOSTILE)
def test_work_stays_in_proportion_to_the_document(name: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = HOSTILE[name]
    counting = Counting(parse_constant=module._refuse, parse_int=module._int, parse_float=module._float)  # noqa: SLF001
    for constant, size in {"CHUNK": 8 * K, "MAX_DROPPED": 64 * K, "MAX_VALUE": 512 * K, "MAX_PART": 6 * K}.items():
        monkeypatch.setattr(module, constant, size)
    monkeypatch.setattr(module, "_DECODER", counting)
    assert parts(data, wanted)[1]
    assert counting.looked < 6 * len(data)
