"""Severity, ordered."""

from enum import StrEnum

from purple.domain.errors import InvalidInputError


class Severity(StrEnum):
    """How bad a flaw is, by the words of the CVSS v3.1 qualitative scale with `info` for its None.

    Source: CVSS v3.1 specification, section 5.
    """

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 4 for critical."""
        return _RANK[self]

    @classmethod
    def parse(cls, text: str, field: str = "severity") -> "Severity":
        """Read a severity from user input.

        Raises:
            InvalidInputError: the text is not one of the five words.
        """
        try:
            return cls(text.strip().lower())
        except ValueError:
            raise InvalidInputError(
                f"unknown severity {text!r}", field=field, value=text, remedy=f"use one of {', '.join(cls)}"
            ) from None

    @classmethod
    def from_cvss(cls, score: float) -> "Severity":
        """The band of a CVSS v3.1 base score, 0.0 to 10.0."""
        for floor, severity in ((9.0, cls.CRITICAL), (7.0, cls.HIGH), (4.0, cls.MEDIUM), (0.1, cls.LOW)):
            if score >= floor:
                return severity
        return cls.INFO


_RANK = {severity: rank for rank, severity in enumerate(Severity)}
