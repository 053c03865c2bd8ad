"""CVSS scores from vectors: v3.0, v3.1 and v4.0.

Sources: FIRST, "Common Vulnerability Scoring System v3.0/v3.1/v4.0: Specification Document",
https://www.first.org/cvss/; the formulas are in `cvss3` and `cvss4`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from purple.domain import cvss3, cvss4
from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity

_VERSIONS = {"CVSS:3.0": cvss3.RULES, "CVSS:3.1": cvss3.RULES, "CVSS:4.0": cvss4.RULES}
_V3_ONLY = {"PR", "S"}
"""Metrics by which a vector without a prefix is known as v3 and not v2; its base is the same in both v3."""
MAX_VECTOR = 300
"""Characters; the longest that has every metric once is shorter."""


@dataclass(frozen=True, slots=True)
class Cvss:
    """What a vector comes to."""

    version: str
    """`3.0`, `3.1` or `4.0`."""
    vector: str
    """As it was given, with its prefix."""
    metrics: Mapping[str, str]
    """Values by metric, such as `AV` and `N`; those not defined (X) are left out."""
    base: float
    """0.0 to 10.0."""
    score: float
    """With the threat (temporal) and environmental metrics that the vector has; without any it is the base."""

    @property
    def severity(self) -> Severity:
        """The band of the score; v3.1 section 5 and v4.0 section 6 are alike."""
        return Severity.from_cvss(self.score)


def parse(vector: str, field: str = "cvss_vector") -> Cvss:
    """Read a vector; one without a prefix that is v3 by its metrics counts as v3.1.

    Raises:
        InvalidInputError: no CVSS v3 or v4 vector; the remedy says which part is wrong.
    """
    given = vector.strip()
    if len(given) > MAX_VECTOR:
        raise _invalid(given[:50], field, f"it is longer than {MAX_VECTOR} characters")
    prefix, _, rest = given.partition("/")
    if prefix not in _VERSIONS:
        named = {part.partition(":")[0] for part in given.split("/")}
        if prefix.startswith("CVSS:") or not named >= _V3_ONLY:
            raise _invalid(given, field, "begin it with CVSS:3.0/, CVSS:3.1/ or CVSS:4.0/")
        prefix, rest = "CVSS:3.1", given
    allowed, required, scores = _VERSIONS[prefix]
    metrics: dict[str, str] = {}
    for part in rest.split("/"):
        name, _, value = part.partition(":")
        if value not in allowed.get(name, ()):
            raise _invalid(given, field, f"{part!r} is no metric of {prefix}")
        if name in metrics:
            raise _invalid(given, field, f"{name} is there twice")
        metrics[name] = value
    if missing := [name for name in required if name not in metrics]:
        raise _invalid(given, field, f"add {', '.join(missing)}")
    version = prefix.removeprefix("CVSS:")
    defined = {name: value for name, value in metrics.items() if value != "X"}
    return Cvss(version, f"{prefix}/{rest}", defined, *scores(defined, version))


def _invalid(vector: str, field: str, remedy: str) -> InvalidInputError:
    return InvalidInputError(f"{vector!r} is no CVSS vector", field=field, value=vector, remedy=remedy)


@lru_cache(maxsize=8_192)
def score_of(vector: str) -> float | None:
    """The score of a vector as a tool wrote it; None where it is none of v3 or v4, such as one of v2."""
    try:
        return parse(vector).score
    except InvalidInputError:
        return None
