"""Nothing is found by sleeping."""

from collections.abc import Iterator
from typing import BinaryIO

from purple.domain.observations import Observation


def parse(stream: BinaryIO) -> Iterator[Observation]:  # noqa: ARG001 - the parser's signature
    """Nothing."""
    yield from ()
