"""XML reports as a row of records: one element is in memory at a time, within limits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from xml.parsers import expat

from purple.domain.errors import ParseError
from purple.toolkit.readers import MAX_DEPTH, MAX_ELEMENT_TEXT, MAX_PART, feed_xml

MAX_TEXT = 8 * 1024**2
"""Characters in all the text of one record."""
_LONGEST_ATTRIBUTE = 10_000


@dataclass(slots=True)
class Element:
    """One element with what it holds; names are without their prefix, and text is stripped."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list["Element"] = field(default_factory=list)
    begins: bool = False
    """Whether this only tells that it begins, and nothing of what it holds."""
    cut: bool = False
    """Whether it held more than one record may; then the rest is missing."""

    def all(self, *path: str) -> list["Element"]:
        """Every element at a path of names below this one."""
        found = [self]
        for name in path:
            found = [child for each in found for child in each.children if child.name == name]
        return found

    def get(self, *path: str) -> str:
        """The text of the first element at a path that has any, or empty."""
        return next((each.text for each in self.all(*path) if each.text), "")


def read_elements(
    stream: BinaryIO, root: str, wanted: Iterable[str], limit: int, opened: Iterable[str] = (), skip: Iterable[str] = ()
) -> Iterator[Element]:
    """The elements of some names, each as soon as it is whole, outermost ones only.

    Entities are refused, text of an element is cut to `MAX_ELEMENT_TEXT` characters, and memory holds one record.

    Args:
        stream: the document.
        root: what its root element must be called.
        wanted: names of records.
        limit: bytes.
        opened: names of elements that are told when they begin, with their attributes.
        skip: names of elements whose text is of no interest.

    Raises:
        ParseError: another root, malformed, truncated, an entity declaration, too deep, or larger than `limit`;
            everything that was whole before has been yielded.
    """
    found: list[Element] = []
    reader = _Reader(root, set(wanted), set(opened), set(skip), found)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.hear

    def refuse(*_: Any) -> None:
        raise ParseError("the XML declares an entity", offset=parser.CurrentByteIndex)

    parser.EntityDeclHandler = refuse
    yield from feed_xml(parser, stream, found, limit)


class _Reader:
    def __init__(self, root: str, wanted: set[str], opened: set[str], skip: set[str], found: list[Element]) -> None:
        self._root = root
        self._wanted = wanted
        self._opened = opened
        self._skip = skip
        self._found = found
        self._depth = 0
        self._inside: list[Element | None] = []
        """The elements of the present record that are open; None for one that is left out."""
        self._nodes = 0
        self._text = 0
        self._pieces: list[str] = []
        self._heard = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        plain = name.rpartition(":")[2]
        if not self._depth and plain != self._root:
            raise ParseError(f"the root element is <{plain[:60]}>, not <{self._root}>", offset=0)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ParseError("the XML is nested too deeply", offset=self._depth, unit="elements")
        if self._inside:
            self._keep_text()
            self._nest(plain, attributes)
        elif plain in self._wanted:
            self._nodes = self._text = 0
            self._inside.append(Element(plain, _short(attributes)))
        elif plain in self._opened:
            self._found.append(Element(plain, _short(attributes), begins=True))

    def _nest(self, name: str, attributes: dict[str, str]) -> None:
        self._nodes += 1
        if self._nodes > MAX_PART:
            self._spoil()
            self._inside.append(None)
            return
        made = Element(name, _short(attributes))
        parent = self._inside[-1]
        if parent is not None:
            parent.children.append(made)
        self._inside.append(made)

    def hear(self, text: str) -> None:
        if self._inside and self._heard < MAX_ELEMENT_TEXT:
            self._pieces.append(text[: MAX_ELEMENT_TEXT - self._heard])
            self._heard += len(text)

    def end(self, _: str) -> None:
        self._depth -= 1
        if not self._inside:
            return
        self._keep_text()
        ended = self._inside.pop()
        if not self._inside and ended is not None:
            self._found.append(ended)

    def _keep_text(self) -> None:
        """What was heard since the last tag is the open element's; of an element with children all pieces are kept."""
        mine = self._inside[-1]
        text = "".join(self._pieces).strip() if self._pieces else ""
        self._pieces.clear()
        self._heard = 0
        if not text or mine is None or mine.name in self._skip:
            return
        self._text += len(text)
        if self._text > MAX_TEXT:
            self._spoil()
        elif len(mine.text) < MAX_ELEMENT_TEXT:
            mine.text = f"{mine.text} {text}" if mine.text else text

    def _spoil(self) -> None:
        record = self._inside[0]
        if record is not None:
            record.cut = True


def _short(attributes: dict[str, str]) -> dict[str, str]:
    return {name: value[:_LONGEST_ATTRIBUTE] for name, value in list(attributes.items())[:100]}
