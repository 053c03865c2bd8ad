"""Damaged tool output: made of real samples by a seeded chance, and bombs that no sample holds."""

import random
from collections.abc import Iterator, Sequence

MOST = 200_000
"""Bytes of a sample that are used; its beginning has all that a format knows."""
TOKENS = (
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"9" * 400, b"-1", b"1e999", b"NaN", b"null", b"true", b"{", b"}", b"[",
    b"]", b'"', b"<", b"</", b"/>", b"]]>", b"<![CDATA[", b"<!--", b"&x;", b"&#0;", b"&#x110000;",
    b"../../../etc/passwd", b"http://[::1", b"\r\n", b",", b";",
    b"\\u0000", b"\\ud800", b"=cmd|' /C calc'!A0", b"<script>", b"A" * 20_000,
)  # fmt: skip


def mutants(samples: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Without end; the same for the same samples and seed."""
    chance = random.Random(seed)  # noqa: S311 - the same damage every time
    heads = [each[:MOST] for each in samples]
    while True:
        data = bytearray(chance.choice(heads))
        for _ in range(chance.randint(1, 6)):
            chance.choice(_KINDS)(data, chance, heads)
        yield bytes(data[: 2 * MOST])


def _cut(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _flip(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    for _turn in range(chance.randint(1, 30)):
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)


def _insert(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    place = chance.randrange(len(data) + 1)
    data[place:place] = chance.choice(TOKENS) * chance.choice((1, 1, 1, 50))


def _lose(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    start = chance.randrange(len(data) + 1)
    del data[start : start + chance.randint(1, 400)]


def _repeat(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    start = chance.randrange(len(data) + 1)
    data[start:start] = data[start : start + chance.randint(1, 2_000)] * chance.randint(1, 20)


def _splice(data: bytearray, chance: random.Random, heads: Sequence[bytes]) -> None:
    other = chance.choice(heads)
    data[chance.randrange(len(data) + 1) :] = other[chance.randrange(len(other) + 1) :]


_KINDS = (_cut, _flip, _insert, _insert, _lose, _repeat, _splice)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files, or plain large ones, that ask for more than they are: by name."""
    deep = 100_000
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    yield "nothing", b""
    yield "nested-json-lists", b"[" * deep
    yield "nested-json-objects", b'{"a":' * deep
    yield "nested-xml", b"<a>" * deep
    yield "billion-laughs", f'<!DOCTYPE r [<!ENTITY l0 "ha">{laughs}]><r>&l11;</r>'.encode()
    yield "external-entity", b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
    yield "one-long-string", b'{"a":"' + b"A" * 20_000_000
    yield "one-long-number", b'{"a":' + b"9" * 5_000_000 + b"}"
    yield "one-long-attribute", b'<r a="' + b"A" * 20_000_000
    yield "one-long-line", b"a," * 10_000_000
    yield "zeros", bytes(20_000_000)
    yield "many-keys", b"{" + b",".join(b'"%d":0' % n for n in range(500_000)) + b"}"
    yield "many-attributes", b"<r " + b" ".join(b'a%d=""' % n for n in range(200_000)) + b"/>"
    yield "many-lines", b"{}\n" * 500_000
