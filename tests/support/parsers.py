"""What every parser must survive, whoever wrote it."""

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import MAX_TEXT, Observation

Parse = Callable[[BinaryIO], Iterator[Observation]]


def read(parse: Parse, data: bytes) -> tuple[list[Observation], ParseError | None]:
    """What a parser yields, and the error it ends with."""
    found: list[Observation] = []
    try:
        found.extend(parse(io.BytesIO(data)))
    except ParseError as error:
        return found, error
    return found, None


def check_text(found: list[Observation]) -> None:
    """Nothing that PostgreSQL refuses or that is longer than it may be."""
    for seen in found:
        texts = [seen.title, seen.rule, seen.evidence, seen.description, seen.remediation, seen.location.url]
        texts += [seen.location.host, seen.location.parameter, *seen.attributes.values()]
        for text in texts:
            assert "\x00" not in text
            assert len(text) <= MAX_TEXT
            text.encode()
