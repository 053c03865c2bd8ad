"""Root causes: which vulnerabilities one fix would end together.

A vulnerable package is updated once, whatever is known of it; the TLS or SSH of a service is set up once, whatever is
wrong with it; a CVE has one patch, and a weakness one way to mend it, on however many targets they are.
"""

from dataclasses import dataclass
from uuid import UUID

from purple.domain.severity import Severity

MAX_CAUSES = 200


@dataclass(frozen=True, slots=True)
class Cause:
    """One root cause, over the present vulnerabilities that it has."""

    cause: str
    """`package pypi/jinja2`, `tls of 192.0.2.7:443`, a CVE, a shared weakness, or a tool's own rule."""
    vulnerabilities: int
    targets: int
    severity: Severity
    """The worst."""
    risk: int
    """The highest, 0 to 100."""
    total: int
    """The sum of all their risks: what is gone when it is fixed."""
    worst: UUID
    """The vulnerability with the highest risk."""
    title: str
    """Its title."""
    remediation: str
    """What it says is to be done."""


@dataclass(frozen=True, slots=True)
class Causes:
    """Those that weigh most, and how many there are in all."""

    items: tuple[Cause, ...]
    number: int
