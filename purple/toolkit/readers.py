"""Size-limited readers of hostile output."""

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, TypeVar
from xml.parsers import expat

from purple.domain.errors import ParseError

T = TypeVar("T")

CHUNK = 16 * 1024
"""Bytes; what is found in one chunk stays in the processor's cache until it is taken."""
MAX_DEPTH = 64
MAX_ELEMENT_TEXT = 10_000
MAX_VALUE = 4 * 1024**2
"""Bytes of one JSON value or XML tag: one that never ends would otherwise be collected for ever."""
MAX_PART = 50_000
"""Values, brackets and pieces of text in one part of a JSON document."""


def read_json(stream: BinaryIO, limit: int) -> Any:
    """A JSON document that fits in memory by its limit.

    Raises:
        ParseError: it is larger than `limit` bytes, or no JSON.
    """
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise ParseError(f"the output is larger than {limit} bytes", offset=limit)
    try:
        return json.loads(data)
    except RecursionError:
        raise ParseError("the JSON is nested too deeply", offset=0) from None
    except ValueError as error:
        offset = error.pos if isinstance(error, json.JSONDecodeError) else 0
        raise ParseError("the output is not JSON", offset=offset) from None


def read_xml(
    stream: BinaryIO,
    starts: Mapping[str, Callable[[dict[str, str]], object]],
    ends: Mapping[str, Callable[[], object]],
    found: list[T],
    limit: int,
    texts: Mapping[str, Callable[[str], object]] = MappingProxyType({}),
) -> Iterator[T]:
    """Feed a document to handlers chunk by chunk, and yield and clear `found`, which they fill, after each.

    Memory does not grow with the input. Entities are refused, which leaves no room for expansion bombs or external
    files.

    Args:
        stream: the document.
        starts: by element, told its attributes when it begins.
        ends: by element, called when it ends.
        found: where the handlers put what they find.
        limit: bytes.
        texts: by element, told its text when it ends, cut to `MAX_ELEMENT_TEXT` characters.

    Raises:
        ParseError: malformed, truncated, an entity declaration, too deep, or larger than `limit` bytes; everything
            that was read before has been yielded.
    """
    parser = _parser(starts, ends)
    if texts:
        _listen(parser, texts)
    yield from feed_xml(parser, stream, found, limit)


def feed_xml(parser: expat.XMLParserType, stream: BinaryIO, found: list[T], limit: int) -> Iterator[T]:
    """Feed a parser chunk by chunk, and yield and clear what its handlers found after each.

    Raises:
        ParseError: as `read_xml`, or what a handler raised; everything that was found before has been yielded.
    """
    read = 0
    trouble: ParseError | None = None
    while trouble is None:
        chunk = stream.read(CHUNK)
        read += len(chunk)
        try:
            if read > limit:
                raise ParseError(f"the output is larger than {limit} bytes", offset=limit)  # noqa: TRY301 - one way out
            parser.Parse(chunk, not chunk)
            if read - parser.CurrentByteIndex > MAX_VALUE:  # expat reads an unfinished tag anew with each chunk
                raise ParseError(f"a tag is larger than {MAX_VALUE} bytes", offset=read)  # noqa: TRY301 - one way out
        except ParseError as error:
            trouble = error
        except expat.ExpatError as error:
            trouble = ParseError(f"the XML breaks off: {expat.ErrorString(error.code)}", offset=error.offset)
        except (LookupError, ValueError) as error:  # an encoding that Python does not know, or expat cannot take
            trouble = ParseError(f"the XML cannot be read: {str(error)[:100]}", offset=0)
        yield from found
        found.clear()
        if not chunk:
            break
    if trouble is not None:
        raise trouble


def _parser(
    starts: Mapping[str, Callable[[dict[str, str]], object]], ends: Mapping[str, Callable[[], object]]
) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    depth = 0

    def refuse(*_: Any) -> None:
        raise ParseError("the XML declares an entity", offset=parser.CurrentByteIndex)

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ParseError("the XML is nested too deeply", offset=parser.CurrentByteIndex)
        if name in starts:
            starts[name](attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        if name in ends:
            ends[name]()

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.EntityDeclHandler = refuse
    return parser


def _listen(parser: expat.XMLParserType, texts: Mapping[str, Callable[[str], object]]) -> None:
    """Tell the text of the elements that matter; those are leaves."""
    start: Any = parser.StartElementHandler
    end: Any = parser.EndElementHandler
    inside: list[str] = []
    heard = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal heard
        inside.clear()
        heard = 0
        start(name, attributes)

    def hear(text: str) -> None:
        nonlocal heard
        if heard < MAX_ELEMENT_TEXT:
            inside.append(text[: MAX_ELEMENT_TEXT - heard])
            heard += len(text)

    def finish(name: str) -> None:
        if name in texts:
            texts[name]("".join(inside))
        inside.clear()
        end(name)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, finish, hear
