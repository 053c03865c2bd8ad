"""Risk: an order of what to mend first, 0 to 100, with its reasons.

A severity says how bad a flaw is anywhere; risk adds what is known of this asset. The weights are ours; each is
named in the reasons, so that a reader can disagree with one of them.
"""

from dataclasses import dataclass

from purple.domain.severity import Severity
from purple.domain.targets import Criticality

_BASE = {Severity.INFO: 5, Severity.LOW: 25, Severity.MEDIUM: 45, Severity.HIGH: 65, Severity.CRITICAL: 80}
_CRITICALITY = {Criticality.LOW: -10, Criticality.MEDIUM: 0, Criticality.HIGH: 8, Criticality.CRITICAL: 15}
_SEVERAL_TOOLS = 5
_UNCERTAIN = -10
_CERTAIN_FROM = 0.5


@dataclass(frozen=True, slots=True)
class Risk:
    """A score and why."""

    score: int
    reasons: tuple[str, ...]


def assess(severity: Severity, criticality: Criticality, tools: int, confidence: float) -> Risk:
    """Weigh one vulnerability.

    Args:
        severity: the worst that a tool gave it.
        criticality: of the target.
        tools: how many different tools saw it.
        confidence: 0 to 1, the best of its sightings.
    """
    score = _BASE[severity]
    reasons = [f"severity {severity} ({score})"]
    if weight := _CRITICALITY[criticality]:
        score += weight
        reasons.append(f"{criticality} asset ({weight:+d})")
    if tools > 1:
        score += _SEVERAL_TOOLS
        reasons.append(f"seen by {tools} tools ({_SEVERAL_TOOLS:+d})")
    if confidence < _CERTAIN_FROM:
        score += _UNCERTAIN
        reasons.append(f"tool is not sure ({_UNCERTAIN:+d})")
    return Risk(max(0, min(100, score)), tuple(reasons))
