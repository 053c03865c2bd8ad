"""Hydra's JSON, version 1.00. Source: `hydra.c` of Hydra 9.4, `-b json`.

`success` is true even where nothing was found; `quantityfound` tells. Where nobody answered, only the exit code does.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.readers import read_json

LIMIT = 4 * 1024**2
"""Bytes; a login is about 100."""
_ANYBODY = {"anonymous", "ftp"}


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Each login that works.

    Raises:
        ParseError: no result of Hydra, or one that says that it could not try; what it found has been yielded.
    """
    report = read_json(stream, LIMIT)
    results = report.get("results") if isinstance(report, dict) else None
    if not isinstance(results, list) or not isinstance(report.get("generator"), dict):
        raise ParseError("this is not a result of Hydra", offset=0)
    broken = 0
    for result in results:
        try:
            yield _flaw(result)
        except (KeyError, TypeError, ValueError, AttributeError):
            broken += 1
    if broken or report.get("quantityfound") != len(results):
        raise ParseError(
            f"{broken} of {len(results)} logins are not as Hydra writes them", offset=broken, unit="logins"
        )
    said = report.get("errormessages")
    if said or report.get("success") is not True:
        first = said[0] if isinstance(said, list) and said else "it says no more"
        raise ParseError(clip(f"Hydra could not try everything: {first}", 300), offset=0)


def _flaw(result: dict[str, Any]) -> Observation:
    login, service = str(result["login"]), str(result["service"])
    anybody = service.startswith("ftp") and login in _ANYBODY
    weakness = CATALOGUE["anonymous-login" if anybody else "login-guessed"]
    return Observation(
        kind=ObservationKind.FLAW,
        rule=f"hydra:{weakness.key}",
        title=weakness.title,
        severity=weakness.severity,
        flaw_class=FlawClass.CONFIGURATION,
        weakness=weakness.key,
        cwe=(weakness.cwe,),
        location=Location(host=clip(str(result["host"]), 300), port=int(result["port"]), transport="tcp"),
        # the password itself stays in the artifact: what is written here goes into reports, mails and tickets
        evidence=clip(f"{service} accepts the login {login} with a well-known password"),
        remediation=weakness.remediation,
        attributes={} if anybody else {"login": clip(login, 200)},
    )
