"""A flaw a line."""

import json
from collections.abc import Iterator
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind
from purple.domain.severity import Severity


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Its flaws.

    Raises:
        ParseError: a line is cut off.
    """
    for number, line in enumerate(stream, 1):
        try:
            row = json.loads(line)
        except ValueError:
            raise ParseError("not JSON", offset=number, unit="lines") from None
        yield Observation(
            kind=ObservationKind.FLAW,
            rule="trial:flaw",
            title="A flaw of the trials",
            location=Location(host=row["host"], port=row["port"], transport="tcp"),
            severity=Severity.HIGH,
            flaw_class=FlawClass.CONFIGURATION,
        )
