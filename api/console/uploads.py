"""Forms with a file: the file is handed on as it comes in, and never held."""

from collections.abc import AsyncIterator

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.console.deps import Fields
from purple.domain.errors import InvalidInputError

MAX_FIELDS = 32
MAX_TEXT = 64 * 1024
"""Bytes of all fields together."""


class Upload:
    """A posted form of the type `multipart/form-data`, with one file in it."""

    def __init__(self, request: Request, file: str) -> None:
        self._request = request
        self._file = file
        self._values: dict[str, list[str]] = {}
        self._headers: dict[str, bytes] = {}
        self._header = b""
        self._value = b""
        self._name = ""
        self._text = bytearray()
        self._names: list[str] = []
        self._held: list[bytes] = []

    @property
    def fields(self) -> Fields:
        """What was read of it so far; all of it once the file was read to its end."""
        return Fields(self._values)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the file; the fields behind it are read before this ends.

        Raises:
            InvalidInputError: it is no such form, or there are too many fields.
        """
        try:
            parser = self._parser()
            async for body in self._request.stream():
                parser.write(body)
                if self._held:
                    yield b"".join(self._held)
                    self._held.clear()
            parser.finalize()
        except (FormParserError, UnicodeDecodeError, KeyError):
            raise InvalidInputError("this is not a form that we know", remedy="go back and send it again") from None

    def _parser(self) -> MultipartParser:
        kind, options = parse_options_header(self._request.headers.get("content-type"))
        if kind != b"multipart/form-data":
            raise FormParserError(kind)
        return MultipartParser(
            options[b"boundary"],
            {
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._begin,
                "on_part_data": self._data,
                "on_part_end": self._end,
            },
        )

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.decode("ascii").lower()] = self._value
        self._header = self._value = b""

    def _begin(self) -> None:
        _, options = parse_options_header(self._headers["content-disposition"])
        self._headers = {}
        self._name = options[b"name"].decode()
        self._names.append(self._name)
        if len(self._names) > MAX_FIELDS or self._names.count(self._file) > 1:
            raise FormParserError(self._name)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == self._file:
            self._held.append(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > MAX_TEXT:
            raise FormParserError(self._name)

    def _end(self) -> None:
        if self._name != self._file:
            text = self._text.decode()
            if "\0" in text:
                raise FormParserError(self._name)
            self._values.setdefault(self._name, []).append(text)
        self._text.clear()
