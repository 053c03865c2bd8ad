"""What every importing parser is put through: damage, truncation, and a hundred times the size."""

import io
import tracemalloc
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from purple.domain.errors import ParseError
from tests.support.parsers import Parse, check_text, read

SIZE = 10_000
"""Bytes of the smallest of three files."""
ROOM = 400 * 1024
"""Bytes by which a peak may differ for reasons of the interpreter."""
MOST = 4 * 1024**2


def survives_damage(parse: Parse, sample: bytes, examples: int = 120) -> None:
    """No bytes crash it, and no damage to a real file does."""

    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.binary(max_size=2000))
    def noise(data: bytes) -> None:
        found, error = read(parse, data)
        check_text(found)
        assert found or error or not data.strip()

    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.integers(0, len(sample) - 1), st.binary(min_size=1, max_size=20))
    def damage(position: int, wrong: bytes) -> None:
        found, _ = read(parse, sample[:position] + wrong + sample[position + len(wrong) :])
        check_text(found)

    noise()
    damage()


def keeps_what_came_before(parse: Parse, sample: bytes, cuts: int = 12) -> None:
    """A truncated file gives a beginning of what the whole one gives, and then says so; sometimes more than nothing."""
    whole, error = read(parse, sample)
    assert error is None
    kept = 0
    for part in range(1, cuts):
        found, error = read(parse, sample[: len(sample.rstrip()) * part // cuts])
        assert error is not None, part
        assert found == whole[: len(found)]
        kept += len(found)
    assert kept


class Repeated(io.RawIOBase):
    """A file that says the same thing many times, and is never whole in memory."""

    def __init__(self, head: bytes, body: bytes, tail: bytes, times: int) -> None:
        self._parts = (head, body, tail)
        self._times = times
        self._begin()

    def _begin(self) -> None:
        head, body, tail = self._parts
        self._coming = iter([head, *[body] * self._times, tail])
        self._rest = b""

    def seek(self, offset: int, whence: int = 0) -> int:
        assert (offset, whence) == (0, 0)
        self._begin()
        return 0

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (more := b"".join(islice(self._coming, 4))):
            self._rest += more
        given_, self._rest = self._rest[:size], self._rest[size:]
        return given_


def stays_flat(parse: Parse, head: bytes, body: bytes, tail: bytes) -> None:
    """Peak memory is bounded, and at 100 times the size that of 10; everything is read."""
    base = max(1, SIZE // len(body))
    counts, peaks = [], []
    for factor in (1, 10, 100):
        stream = Repeated(head, body, tail, base * factor)
        tracemalloc.start()
        try:
            counts.append(sum(1 for _ in parse(stream)))  # type: ignore[arg-type]  # a raw stream reads as a file does
            peaks.append(tracemalloc.get_traced_memory()[1])
        except ParseError as error:
            raise AssertionError(error.detail) from error
        finally:
            tracemalloc.stop()
    assert counts[2] > 50 * counts[0]
    assert peaks[2] <= peaks[1] + ROOM, peaks
    assert peaks[2] <= MOST, peaks


def refuses_entities(parse: Parse, root: str) -> None:
    """Neither a bomb nor a file of this machine is expanded."""
    for declared in (b'<!ENTITY a "ha">', b'<!ENTITY a SYSTEM "file:///etc/passwd">'):
        found, error = read(
            parse, b"<!DOCTYPE %b [%b]><%b>&a;</%b>" % ((root.encode(), declared, *[root.encode()] * 2))
        )
        assert found == []
        assert "declares an entity" in str(error)
