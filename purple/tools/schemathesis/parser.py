"""Schemathesis's NDJSON of events. Source: `schemathesis/reporting/ndjson.py` of Schemathesis 4.32."""

from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.jsonlines import read_json_lines
from purple.toolkit.web import place_of

LIMIT = 512 * 1024**2
"""Bytes; a request with its answer is about 1 KB."""
_WEAKNESSES = {"not_a_server_error": "error-unhandled", "ignored_auth": "no-authentication"}
"""By check; the others say that an API breaks its word, which has no name that other tools use."""
_SCENARIOS = ("ScenarioFinished", "FuzzScenarioFinished")
_TROUBLE = {"NonFatalError": "value", "FatalError": "exception"}
_MAX_FLAWS = 50_000
"""Pairs of operation and check that are remembered; each is told once."""


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Each check that an operation of the API failed, once.

    Raises:
        ParseError: no events of Schemathesis, or a run that tested nothing, met errors or did not come to an end;
            what failed has been yielded.
    """
    told: set[tuple[str, str]] = set()
    said, ended = "", False
    broken = scenarios = 0
    for _, line in read_json_lines(stream, LIMIT):
        try:
            ((event, about),) = line.items()
            if event in _SCENARIOS:
                scenarios += about["status"] != "skip"
                yield from _failures(about["recorder"], told)
            elif event in _TROUBLE:
                said = said or str(about[_TROUBLE[event]]["message"])
            elif event == "SchemaAnalysisWarnings":
                said = said or f"{len(about['warnings'])} references of its description lead elsewhere or nowhere"
            elif event == "EngineFinished":
                ended = about["stop_reason"] == "completed"
        except (KeyError, TypeError, ValueError, AttributeError):
            broken += 1
    if broken:
        raise ParseError(f"{broken} lines are not as Schemathesis writes them", offset=broken, unit="lines")
    if said or not ended or not scenarios:
        raise ParseError(clip(f"the API was not tested to the end: {said or 'it says no more'}", 300), offset=scenarios)


def _failures(recorder: dict[str, Any], told: set[tuple[str, str]]) -> Iterator[Observation]:
    label = str(recorder["label"])
    for case, checks in (recorder.get("checks") or {}).items():
        for check in checks:
            key = (str(check["name"]), label)
            if check["status"] != "failure" or key in told or len(told) >= _MAX_FLAWS:
                continue
            told.add(key)
            yield _flaw(label, key[0], check["failure_info"]["failure"], recorder["interactions"][case])


def _flaw(label: str, check: str, failure: dict[str, Any], interaction: dict[str, Any]) -> Observation:
    request = interaction["request"]
    method, uri = str(request["method"]), str(request["uri"])
    parts = urlsplit(uri)
    path = label.partition(" ")[2]
    key = _WEAKNESSES.get(check, "")
    weakness = CATALOGUE[key] if key else None
    status = (interaction.get("response") or {}).get("status_code", "none")
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"schemathesis:{check}", 200),
        title=weakness.title if weakness else clip(f"{failure['title']}: {label}", 200),
        severity=weakness.severity if weakness else Severity.LOW,
        flaw_class=FlawClass.ENDPOINT,
        weakness=key,
        cwe=(weakness.cwe,) if weakness else (),
        location=place_of(
            f"{parts.scheme}://{parts.netloc}{path if path.startswith('/') else parts.path}", method=method
        ),
        description=clip(str(failure.get("message") or "")),
        evidence=clip(f"{method} {uri}\nstatus {status}"),
        remediation=weakness.remediation
        if weakness
        else "Answer as the API's description says, or mend the description.",
    )
