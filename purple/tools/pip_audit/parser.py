"""pip-audit's JSON. Source: `pip_audit/_format/json.py` of pip-audit 2.10.1."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import Observation
from purple.toolkit.advisories import Advisory
from purple.toolkit.parts import read_parts

LIMIT = 128 * 1024**2
"""Bytes; a vulnerability is about 1 KB."""
_MOST_SHOWN = 8
_TITLE = 120
"""A description that is as short is a summary."""


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """The vulnerabilities.

    pip-audit ends well and says that it found none where it skipped every package, so a skipped one is an error.

    Raises:
        ParseError: no report of pip-audit, one that breaks off, or one of packages that were not assessed; what it
            found has been yielded.
    """
    skipped: list[str] = []
    broken = reports = 0
    for path, _, part in read_parts(stream, ["dependencies.*"], LIMIT, opened=["dependencies"]):
        if path == "dependencies":
            reports += 1
            continue
        try:
            name = str(part["name"])
            if "skip_reason" in part:
                skipped.append(" ".join(name[:100].split()))
                continue
            for each in part["vulns"]:
                yield _flaw(name, str(part["version"]), each)
        except (KeyError, TypeError, AttributeError, ValueError):
            broken += 1
    if not reports:
        raise ParseError("this is not a report of pip-audit", offset=0)
    if broken:
        raise ParseError(f"{broken} entries are not as pip-audit writes them", offset=broken, unit="entries")
    if skipped:
        shown = ", ".join(skipped[:_MOST_SHOWN])
        more = " …" if len(skipped) > _MOST_SHOWN else ""
        raise ParseError(
            f"{len(skipped)} packages were not assessed: {shown}{more}", offset=len(skipped), unit="packages"
        )


def _flaw(name: str, version: str, found: dict[str, Any]) -> Observation:
    description = str(found.get("description") or "")
    return Advisory(
        ecosystem="pypi",
        name=name,
        version=version,
        ids=(str(found["id"]), *map(str, found.get("aliases") or ())),
        title=description if len(description) <= _TITLE else "",
        description=description,
        fixed=tuple(map(str, found.get("fix_versions") or ())),
    ).seen()
