"""Lines of JSON."""

import json
from collections.abc import Iterator
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind
from purple.domain.severity import Severity


def parse(stream: BinaryIO) -> Iterator[Observation]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise ParseError("not JSON", offset=number, unit="lines") from None
        yield Observation(
            kind=ObservationKind.FLAW,
            rule=row.get("rule", "made:flaw"),
            title="<script>alert(1)</script> & made flaw",
            location=Location(host=row["host"], port=row["port"], transport="tcp"),
            severity=Severity.HIGH,
            flaw_class=FlawClass.CONFIGURATION,
            evidence="<img src=x onerror=alert(1)>",
        )
