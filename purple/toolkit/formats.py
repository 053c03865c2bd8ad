"""What a file is, from how it begins: never from its name."""

import contextlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal
from xml.parsers import expat

import ijson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from purple.domain.errors import ParseError

_DEEPEST = 6
_LONGEST = 200
_BOM = b"\xef\xbb\xbf"
_BINARY = 0.02


@dataclass(frozen=True, slots=True)
class Head:
    """How a file begins."""

    kind: Literal["xml", "json", "text", "binary"]
    root: str = ""
    namespace: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    """Of the root element."""
    paths: frozenset[str] = frozenset()
    """Of the first JSON value, through arrays: `runs.tool.driver`."""
    values: dict[str, str] = field(default_factory=dict)
    """Short scalars by path."""
    line: str = ""
    """The first line of text."""

    def __str__(self) -> str:
        """For people."""
        match self.kind:
            case "xml":
                return f"XML with the root element <{self.root}>"
            case "json":
                return f"JSON with {', '.join(sorted(each for each in self.paths if '.' not in each)[:8]) or 'nothing'}"
            case "text":
                return f"text that begins with {json.dumps(self.line[:60], ensure_ascii=False)}"
            case _:
                return "neither XML, JSON nor text"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class XmlSignature(_Strict):
    """A root element, with regular expressions for its namespace and attributes."""

    root: str
    namespace: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)


class JsonSignature(_Strict):
    """Paths that the first value of the file has, and regular expressions for short values."""

    paths: tuple[str, ...] = ()
    values: dict[str, str] = Field(default_factory=dict)


class Signature(_Strict):
    """How a file of a format begins: one of the three."""

    xml: XmlSignature | None = None
    json_: JsonSignature | None = Field(default=None, alias="json")
    header: str = ""
    """A regular expression for the first line of text."""

    @model_validator(mode="after")
    def _one(self) -> "Signature":
        if sum(map(bool, (self.xml, self.json_, self.header))) != 1:
            raise ValueError("recognise: give one of xml, json and header")
        return self

    def matches(self, head: Head) -> bool:
        """Whether a file that begins so is of the format."""
        if self.xml is not None:
            found = head.kind == "xml" and head.root == self.xml.root and _says(self.xml.namespace, head.namespace)
            return found and all(_says(want, head.attributes.get(name)) for name, want in self.xml.attributes.items())
        if self.json_ is not None:
            found = head.kind == "json" and head.paths.issuperset(self.json_.paths)
            return found and all(_says(want, head.values.get(path)) for path, want in self.json_.values.items())
        return head.kind == "text" and re.search(self.header, head.line) is not None

    def __str__(self) -> str:
        """For people."""
        if self.xml is not None:
            return f"XML <{self.xml.root}>"
        if self.json_ is not None:
            return f"JSON with {', '.join(dict.fromkeys((*self.json_.paths, *self.json_.values)))}"
        return "a header line"


def _says(wanted: str, value: str | None) -> bool:
    return value is not None and re.search(wanted, value) is not None


def look_at(data: bytes) -> Head:
    """How a file begins, from its first bytes."""
    body = data.removeprefix(_BOM).lstrip()
    if body.startswith(b"<"):
        return _xml(body)
    if body.startswith((b"{", b"[")):
        return _json(body)
    text = body.decode("utf-8", "replace")
    odd = sum(not (each.isprintable() or each in "\r\n\t") or each == "\ufffd" for each in text)
    if not text or odd > len(text) * _BINARY:
        return Head("binary")
    return Head("text", line=text.splitlines()[0][:4000])


def _xml(body: bytes) -> Head:
    found: list[Head] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if not found:
            namespace, _, root = name.rpartition(" ")
            cut = {key: value[:_LONGEST] for key, value in list(attributes.items())[:50]}
            found.append(Head("xml", root, namespace, cut))

    def refuse(*_: Any) -> None:
        raise ParseError("the XML declares an entity", offset=0)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse
    with contextlib.suppress(
        expat.ExpatError, ParseError, LookupError, ValueError
    ):  # only its root element is asked for
        parser.Parse(body)
    return found[0] if found else Head("xml")


def _json(body: bytes) -> Head:
    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events, use_float=True, multiple_values=True)
    with contextlib.suppress(ijson.JSONError, ValueError, StopIteration):  # the same
        parser.send(body)
    place: list[str] = []
    keys: list[str] = [""]
    paths: set[str] = set()
    values: dict[str, str] = {}
    for event, value in events:
        if event == "map_key":
            keys[-1] = value
            if sum(map(bool, keys)) <= _DEEPEST:
                paths.add(".".join(filter(None, keys)))
        elif event.startswith("start_"):
            place.append(event)
            keys.append("")
        elif event.startswith("end_"):
            place.pop()
            keys.pop()
            if not place:
                break
        elif isinstance(value, (str, int, float)) and len(values) < _LONGEST:
            values.setdefault(".".join(filter(None, keys)), str(value)[:_LONGEST])
    return Head("json", paths=frozenset(paths), values=values)
