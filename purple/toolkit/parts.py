"""JSON documents of any size, a part at a time: each as soon as it is whole, in bounded memory.

A window of text slides along the document. Only the containers around what is wanted are walked here; every other value
is taken at once by the decoder of the standard library, which is written in C. A value that ends outside the window is
tried again in one of twice the size. One that is too large to be held is walked as well, and what a try has looked at
in vain is never tried again, so that the work stays in proportion to the document, whatever it holds.
"""

import codecs
import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.toolkit.readers import MAX_DEPTH, MAX_PART, MAX_VALUE

CHUNK = 64 * 1024
"""Bytes that are read at a time."""
MAX_NUMBER = 64 * 1024
"""Characters of one number that is walked to."""
MAX_DROPPED = 64 * 1024
"""Characters of a value that is taken at once though nobody wants it; a larger one is walked, to save its memory."""
TRIES = 3
"""How often an array or object inside one that was too large is tried where that one was looked at already."""
_PIECE = 64
_TOKEN = 16
"""A break so close to the window's end may be a token that goes on."""
_LONG = 2**63
_SHORT = 19
"""Characters, of which no number over 64 bits can do with less."""
_OPENS = frozenset("[{")
_INK = re.compile(r"[^ \t\n\r]")
_AFTER_WORD = re.compile(r"[^-+.0-9A-Za-z]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_UNREAD = object()
_SPACE = r"[ \t\n\r]*"
_TEXT = r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*){0,64}"'
_SIMPLE = rf"(?:{_TEXT}|-?(?:0|[1-9][0-9]{{0,17}})(?:\.[0-9]{{1,99}})?|true|false|null){_SPACE},{_SPACE}"
_ITEMS = re.compile(rf"(?:{_SIMPLE}){{1,64}}")
_MEMBERS = re.compile(rf"(?:{_SIMPLE}{_TEXT}{_SPACE}:{_SPACE}){{1,64}}")
"""From one value up to another, where simple ones lie between: the walk jumps over what it drops anyway.

They are counted, as the engine keeps what it matched until the whole of it matches.
"""

_Place = tuple[str | None, ...]


def read_parts(
    stream: BinaryIO, wanted: Iterable[str], limit: int, opened: Iterable[str] = ()
) -> Iterator[tuple[str, int, Any]]:
    """The parts of a JSON document at some paths, in the order in which they come, each as soon as it is whole.

    Memory holds one part at a time and does not grow with the input. Halves of surrogate pairs become question marks.

    Args:
        stream: the document.
        wanted: paths such as `runs.*.results.*`; `*` is any item of an array. None may lie inside another.
        limit: bytes.
        opened: paths of arrays and objects of which only their beginning is told, as True.

    Yields:
        Path, which item of the outermost array it is in, and value; None in place of a value larger than `MAX_PART`
        values, brackets and pieces of text, or `MAX_VALUE` characters.

    Raises:
        ParseError: malformed, truncated, too deep, a text over `MAX_VALUE`, a number over 64 bits, or larger than
            `limit` bytes; everything that was read before has been yielded.
    """
    window = _Window(stream, limit)
    document = _Document(window)
    yield from _Walk(document, wanted, opened).value(())
    window.end()


class _Walk:
    """Along the containers that lie on the way to what is wanted."""

    def __init__(self, document: "_Document", wanted: Iterable[str], opened: Iterable[str]) -> None:
        self._document = document
        self._wanted, self._opened = _steps(wanted), _steps(opened)
        self._ways = {each[:end] for each in (*self._wanted, *self._opened) for end in range(len(each))}
        self._item = -1

    def value(self, place: _Place) -> Iterator[tuple[str, int, Any]]:
        """What is wanted of the value that comes next, which is at this place and not wanted itself."""
        document, depth = self._document, len(place) + 1
        opens = document.opens()
        if opens and place in self._opened:
            yield self._opened[place], self._item, True
        if not opens or place not in self._ways:
            document.take(depth, MAX_DROPPED)
            return
        outermost = None not in place
        for step in document.members(depth):
            self._item += outermost and step is None
            here = (*place, step)
            if (path := self._wanted.get(here)) is not None:
                yield path, self._item, document.take(depth + 1, MAX_VALUE)
            else:
                yield from self.value(here)


def _steps(paths: Iterable[str]) -> dict[_Place, str]:
    return {tuple(None if step == "*" else step for step in each.split(".")): each for each in paths}


class _Window:
    """The text of a document from where it is read to where it came in."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self.text = ""
        self.at = 0
        self.done = False
        """Whether nothing more comes in: it is at its end or its limit, or is no UTF-8 from here on."""
        self._tried = 0
        """Up to where a try has looked in vain."""
        self._tries = 0
        """How often one may look there again."""
        self.escaped = False
        """Whether there may be halves of surrogate pairs in it."""
        self._stream, self._limit = stream, limit
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._read = self._gone = 0
        self._trouble: ParseError | None = None

    def peek(self) -> str:
        """Go to the next character that is no space; it, or nothing at the end."""
        if (here := self.text[self.at : self.at + 1]) > " ":
            return here
        while (found := _INK.search(self.text, self.at)) is None:
            self.at = len(self.text)
            if self.done:
                return ""
            self.fill()
        self.at = found.start()
        return found[0]

    def fill(self, most: int = MAX_VALUE) -> None:
        """Drop what was read, and read as much as is left, but not much over `most` in all: retries stay cheap."""
        left = self.text[self.at :]
        self._gone += _bytes(self.text[: self.at])
        self._tried -= self.at
        self.text, self.at = left + self._more(max(CHUNK, min(len(left), most - len(left)))), 0
        self.escaped = "\\" in self.text and "\\u" in self.text

    def jump(self, run: re.Pattern[str]) -> None:
        """Past as many of such runs as come next in the window."""
        self.peek()
        while (found := run.match(self.text, self.at)) is not None:
            self.at = found.end()

    def end(self) -> None:
        """Make sure that nothing comes any more.

        Raises:
            ParseError: something does.
        """
        if self.peek() or self._trouble:
            raise self.broken()

    def _more(self, size: int) -> str:
        pieces = []
        while size > 0 and not self.done:
            data = self._stream.read(CHUNK)
            pieces.append(self._decoded(data))
            size -= len(data)
        return "".join(pieces)

    def _decoded(self, data: bytes) -> str:
        last = not data
        self._read += len(data)
        if self._read > self._limit:
            data = data[: self._limit - self._read]
            self._trouble = ParseError(f"the output is larger than {self._limit} bytes", offset=self._limit)
        try:
            text = self._decoder.decode(data, final=last)
        except UnicodeDecodeError as error:
            text = bytes(error.object[: error.start]).decode()
            self._trouble = ParseError("the JSON breaks off: it is not UTF-8", offset=self._read)
        self.done = last or self._trouble is not None
        return text

    def broken(self, error: ValueError | None = None) -> ParseError:
        """What to say of a document that breaks here, or where the decoder found it to."""
        if self.done and self._trouble is not None:
            return self._trouble
        at, what = (error.pos, error.msg) if isinstance(error, json.JSONDecodeError) else (self.at, str(error or ""))
        what = what or ("it is incomplete" if at >= len(self.text) else "this may not stand here")
        return ParseError(f"the JSON breaks off: {what[:200]}", offset=self._offset(at))

    def refused(self, why: str) -> ParseError:
        """What to say of a document that is not read any further."""
        return ParseError(why, offset=self._offset(self.at))

    def _offset(self, at: int) -> int:
        return self._gone + _bytes(self.text[:at])

    def worth_a_try(self) -> bool:
        """Whether what comes next was not looked at too often: something around it may have been tried before."""
        return self._tries > 0 or self.at >= self._tried

    def tried(self, *, hopeless: bool) -> None:
        """All that is here was looked at in vain; hopeless is what is broken, not too large."""
        fresh = self.at >= self._tried
        self._tries = 0 if hopeless else TRIES if fresh else self._tries - 1
        self._tried = len(self.text)

    def cut(self, error: ValueError) -> bool:
        """Whether what the decoder stumbled over may be a value that goes on outside the window."""
        if self.done or not isinstance(error, json.JSONDecodeError):
            return not self.done
        return error.msg.startswith("Unterminated string") or len(self.text) - error.pos < _TOKEN


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


class _Document:
    """The values of a document, one after the other."""

    def __init__(self, window: _Window) -> None:
        self._window = window

    def opens(self) -> bool:
        """Whether an array or object comes next."""
        return self._window.peek() in _OPENS

    def take(self, depth: int, room: int) -> Any:
        """The value that comes next; None where it is larger than may be held, or than `room` in characters.

        Raises:
            ParseError: it breaks off, is too deep, or holds a text that is too long.
        """
        window = self._window
        first = window.peek()
        if first == '"':
            return self._string()
        if first not in _OPENS:
            return self._word(inside=depth > 1)
        if window.worth_a_try() and (value := self._whole(depth, room)) is not _UNREAD:
            return value
        for key in self.members(depth):
            window.jump(_ITEMS if key is None else _MEMBERS)
            self.take(depth + 1, MAX_DROPPED)
        return None

    def members(self, depth: int) -> Iterator[str | None]:
        """Walk along the array or object that comes next: a member's key, or None; then its value is to be taken.

        Raises:
            ParseError: it is too deep, or breaks off.
        """
        window = self._window
        if depth > MAX_DEPTH:
            raise window.refused("the JSON is nested too deeply")
        closing = "]" if window.peek() == "[" else "}"
        window.at += 1
        if window.peek() == closing:
            window.at += 1
            return
        found = ","
        while found != closing:
            yield None if closing == "]" else self._key()
            found = window.peek()
            if found not in {",", closing}:
                raise window.broken()
            window.at += 1

    def _key(self) -> str:
        window = self._window
        if window.peek() != '"':
            raise window.broken()
        key: str = self._string() or ""
        if window.peek() != ":":
            raise window.broken()
        window.at += 1
        return key

    def _string(self) -> Any:
        window = self._window
        while True:
            try:
                value, end = _DECODER.raw_decode(window.text, window.at)
            except ValueError as error:
                if not window.cut(error):
                    raise window.broken(error) from None
                if len(window.text) - window.at > MAX_VALUE:
                    raise window.refused(f"a value is larger than {MAX_VALUE} bytes") from None
                window.fill()
            else:
                return self._kept(value, end, 1)

    def _word(self, *, inside: bool) -> Any:
        """A number or name; inside a container one that ends with the document is cut off."""
        window = self._window
        while _AFTER_WORD.search(window.text, window.at) is None and not (window.done and not inside):
            if window.done:
                raise window.broken(ValueError("a value is incomplete"))
            if len(window.text) - window.at > MAX_NUMBER:
                raise window.refused(f"a number is larger than {MAX_NUMBER} bytes")
            window.fill()
        try:
            value, window.at = _DECODER.raw_decode(window.text, window.at)
        except ValueError as error:
            raise window.broken(error) from None
        return value

    def _whole(self, depth: int, room: int) -> Any:
        """The container that comes next, taken at once; `_UNREAD` where it is to be walked, as too large or broken."""
        window = self._window
        while True:
            try:
                value, end = _DECODER.raw_decode(window.text, window.at)
            except RecursionError:
                raise window.refused("the JSON is nested too deeply") from None
            except ValueError as error:
                cut = window.cut(error)
                if not cut or len(window.text) - window.at > room or _brackets(window.text, window.at) > MAX_PART:
                    window.tried(hopeless=not cut)
                    return _UNREAD
                window.fill(room)
            else:
                return self._kept(value, end, depth)

    def _kept(self, value: Any, end: int, depth: int) -> Any:
        """Go past a value; it, without halves of surrogate pairs, or None if it is too large."""
        window = self._window
        text, start, window.at = window.text, window.at, end
        # with fewer brackets it cannot be too deep, with fewer characters not too large
        if _brackets(text, start, end) > MAX_DEPTH - depth or end - start > MAX_PART:
            size, deepest = _measured(value)
            if depth + deepest - 1 > MAX_DEPTH:
                raise window.refused("the JSON is nested too deeply")
            if size > MAX_PART or end - start > MAX_VALUE:
                return None
        return _clean(value) if window.escaped and _SURROGATE.search(text, start, end) else value


def _brackets(text: str, start: int, end: int | None = None) -> int:
    return text.count("[", start, end) + text.count("{", start, end)


def _measured(value: Any) -> tuple[int, int]:
    """Values, brackets and pieces of text in a value, and how deep its containers are nested."""
    size = deepest = 0
    level = [value]
    while level:
        deepest += any(isinstance(each, (dict, list)) for each in level)
        inner: list[Any] = []
        for each in level:
            size += 1
            if isinstance(each, str):
                size += len(each) // _PIECE
            elif isinstance(each, dict):
                size += 1 + sum(1 + len(key) // _PIECE for key in each)
                inner.extend(each.values())
            elif isinstance(each, list):
                size += 1
                inner.extend(each)
        level = inner
    return size, deepest


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(each) for key, each in value.items()}
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _int(text: str) -> int:
    """As databases and other parsers have room for."""
    if len(text) < _SHORT:
        return int(text)
    if len(text) > _SHORT + 1 or not -_LONG <= (number := int(text)) < _LONG:
        raise ValueError("a number is larger than 64 bits")
    return number


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is larger than a float")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_int=_int, parse_float=_float)
