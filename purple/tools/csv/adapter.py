"""Which column holds what; no program is run."""

from typing import Literal

from pydantic import Field, field_validator

from purple.toolkit.adapter import ImportOptions

Field_ = Literal[
    "title", "severity", "host", "port", "protocol", "url", "method", "parameter", "path", "line", "rule", "cve", "cwe",
    "cvss", "cvss_vector", "description", "remediation", "evidence", "references",
]  # fmt: skip


class Options(ImportOptions):
    """How the table is read."""

    columns: dict[Field_, str] = Field(default_factory=dict)
    """Field to the heading of its column, such as `{"title": "Plugin Name"}`; the others are found by their usual
    headings, and an empty heading means that there is none."""
    severities: dict[str, Literal["info", "low", "medium", "high", "critical"]] = Field(default_factory=dict)
    """The table's own words for severities, such as `{"P1": "critical"}`."""
    delimiter: str = Field(default="", max_length=1)
    """By default whichever of comma, semicolon, tab and bar the first line has most of."""

    @field_validator("delimiter")
    @classmethod
    def _divides(cls, value: str) -> str:
        if value in {'"', "\r", "\n", "\x00"}:
            raise ValueError("a delimiter is one character, and neither a quote nor an end of line")
        return value
