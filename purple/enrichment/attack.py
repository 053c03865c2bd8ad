"""MITRE ATT&CK for Enterprise, as a STIX 2.1 bundle.

A fact: `name` and `tactics` (short names, such as `initial-access`). Source: https://github.com/mitre-attack/attack-stix-data.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from purple.domain.enrichment import About, Fact
from purple.domain.observations import clip
from purple.toolkit.parts import read_parts

_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")


def parse(stream: BinaryIO, limit: int) -> Iterator[tuple[str, Fact] | About]:
    """Every technique that is neither revoked nor deprecated.

    Raises:
        ParseError: malformed.
    """
    for _, _, part in read_parts(stream, ("objects.*",), limit):
        if not isinstance(part, dict):
            continue
        if part.get("type") == "x-mitre-collection":
            yield About(clip(str(part.get("x_mitre_version") or ""), 50), _moment(part))
        elif key := _id(part):
            yield key, {"name": clip(str(part.get("name") or ""), 200), "tactics": _tactics(part)}


def _moment(part: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(part.get("modified")))
    except ValueError:
        return None


def _dicts(part: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = part.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _id(part: dict[str, Any]) -> str:
    """Of a technique in use; empty of everything else."""
    if part.get("type") != "attack-pattern" or part.get("revoked") or part.get("x_mitre_deprecated"):
        return ""
    named = [str(each.get("external_id")) for each in _dicts(part, "external_references")]
    return next((each for each in named if _TECHNIQUE.fullmatch(each)), "")


def _tactics(part: dict[str, Any]) -> list[str]:
    phases = _dicts(part, "kill_chain_phases")
    ours = [each for each in phases if each.get("kill_chain_name") == "mitre-attack"]
    return sorted({clip(str(each.get("phase_name")), 50) for each in ours})
