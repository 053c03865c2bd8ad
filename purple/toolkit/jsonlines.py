"""JSON Lines of tools: one value a line, each line within a limit."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError

MAX_LINE = 4 * 1024**2


def read_lines(stream: BinaryIO, limit: int) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1; a line of any length costs at most `MAX_LINE`.

    Raises:
        ParseError: a line is longer than `MAX_LINE`, or the whole is larger than `limit` bytes; the lines before it
            have been yielded.
    """
    read = number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        read += len(line)
        if read > limit:
            raise ParseError(f"the output is larger than {limit} bytes", offset=limit)
        if len(line) > MAX_LINE:
            raise ParseError(f"a line is longer than {MAX_LINE} bytes", offset=number, unit="lines")
        if stripped := line.strip():
            yield number, stripped


def read_json_lines(stream: BinaryIO, limit: int) -> Iterator[tuple[int, Any]]:
    """The values, with the numbers of their lines; None for a line that is no JSON, as where the output broke off.

    Raises:
        ParseError: as `read_lines`.
    """
    for number, line in read_lines(stream, limit):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        yield number, value
