"""Results of tools that ran elsewhere: which formats there are, and what of a file found no place."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

MAX_IMPORT = 2 * 1024**3
"""Bytes of one file."""
HEAD = 64 * 1024
"""Bytes from the beginning of a file by which its format is recognised."""
MAX_LISTED = 200
"""Places that are listed by name; the rest is counted."""


@dataclass(frozen=True, slots=True)
class ImportFormat:
    """What can be taken in."""

    name: str
    title: str
    tool: str
    """The plugin that reads it."""
    told_by: tuple[str, ...]
    """How a file of it is recognised, for people."""


@dataclass(slots=True)
class LeftOut:
    """Results that belong to no target that may have them, by place and reason."""

    results: int = 0
    places: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, place: str, reason: str) -> None:
        """Count one."""
        self.results += 1
        if (place, reason) in self.places or len(self.places) < MAX_LISTED:
            self.places[place, reason] = self.places.get((place, reason), 0) + 1

    def listed(self) -> list[dict[str, Any]]:
        """As documents, those with most results first."""
        most = sorted(self.places.items(), key=lambda each: (-each[1], each[0]))
        return [{"place": place, "results": count, "reason": reason} for (place, reason), count in most]

    def line(self) -> str:
        """For people; empty where nothing is left out."""
        if not self.results:
            return ""
        first = [f"{each['place']} ({each['reason']})" for each in self.listed()[:5]]
        more = f" and {len(self.places) - len(first)} more" if len(self.places) > len(first) else ""
        return f"{self.results} results are left out: {', '.join(first)}{more}"


def left_out_of(summary: dict[str, Any]) -> int:
    """How many results of a campaign's import found no place, by the campaign's summary."""
    return int(summary.get("import", {}).get("left_out", 0))


def given_target(summary: dict[str, Any], default: UUID) -> UUID | None:
    """The target that an import was told to be about; the default where nothing was looked at beforehand."""
    if "import" not in summary:
        return default
    said = summary["import"].get("target")
    return UUID(said) if said else None
