"""SSVC: what to do about a vulnerability, by a published decision tree.

Source: CISA, "Stakeholder-Specific Vulnerability Categorization Guide" (2022), with the table as CERT/CC publishes it
(cisa:CISA Levels, decision table 2.0.3, https://certcc.github.io/SSVC/howto/coordination_triage_decision/). What a CVSS
vector says of the technical impact follows CERT/CC's table `cvssv4_to_technical_impact` 1.0.0.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from purple.domain.cvss import Cvss
from purple.domain.risk import Known
from purple.domain.severity import Severity
from purple.domain.targets import Criticality, DataClass, Target

MODEL = "CISA SSVC, decision table 2.0.3"


class Decision(StrEnum):
    """What to do, the least urgent first."""

    TRACK = "track"
    """Mend it within the usual time."""
    TRACK_CLOSELY = "track*"
    """The same, and watch for changes."""
    ATTEND = "attend"
    """Mend it sooner, and tell those in charge."""
    ACT = "act"
    """Mend it as soon as possible; the leadership knows."""


@dataclass(frozen=True, slots=True)
class Point:
    """One decision point, and why it has its value."""

    name: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Advice:
    """Where the tree leads, and by which way."""

    decision: Decision
    points: tuple[Point, ...]
    model: str = MODEL


_EXPLOITATION = ("none", "public poc", "active")
_AUTOMATABLE = ("no", "yes")
_IMPACT = ("partial", "total")
_MISSION = ("low", "medium", "high")
_ROWS = """
    track track track    track track track*   track track attend    track track attend
    track track track*   track track* attend  track track attend    track track* attend
    track track attend   track attend act     attend attend act     attend act act
"""
"""A line for each exploitation; in it automatable by technical impact by mission and well-being."""
TREE = {
    way: Decision(word)
    for way, word in zip(product(_EXPLOITATION, _AUTOMATABLE, _IMPACT, _MISSION), _ROWS.split(), strict=True)
}


def decide(known: Known, cvss: Cvss | None, severity: Severity, target: Target) -> Advice:
    """Walk the tree with what is known; what is assumed says so."""
    points = (_exploitation(known, cvss), _automatable(cvss), _impact(cvss, severity), _mission(target))
    exploitation, automatable, impact, mission = (each.value for each in points)
    return Advice(TREE[exploitation, automatable, impact, mission], points)


def _exploitation(known: Known, cvss: Cvss | None) -> Point:
    maturity = cvss.metrics.get("E", "") if cvss else ""
    attacked = cvss is not None and cvss.version == "4.0" and maturity == "A"
    if known.kev or attacked:
        return Point("exploitation", "active", "listed in KEV" if known.kev else "the CVSS vector says E:A")
    if known.exploit or maturity in {"P", "F", "H"}:
        why = "a reference is tagged as exploit" if known.exploit else f"the CVSS vector says E:{maturity}"
        return Point("exploitation", "public poc", why)
    return Point("exploitation", "none", "neither in KEV nor is an exploit known")


def _automatable(cvss: Cvss | None) -> Point:
    """Steps 1 to 4 of the kill chain can be automated where nobody has to be near, privileged or persuaded."""
    if cvss is None:
        return Point("automatable", "no", "assumed, for there is no CVSS vector")
    if said := cvss.metrics.get("AU"):
        return Point("automatable", "yes" if said == "Y" else "no", f"the CVSS vector says AU:{said}")
    easy = {"AV": "N", "AC": "L", "PR": "N", "UI": "N"}
    hard = [f"{name}:{cvss.metrics[name]}" for name, value in easy.items() if cvss.metrics[name] != value]
    why = f"the CVSS vector says {', '.join(hard) or 'AV:N, AC:L, PR:N, UI:N'}"
    return Point("automatable", "no" if hard else "yes", why)


def _impact(cvss: Cvss | None, severity: Severity) -> Point:
    if cvss is None:
        total = severity is Severity.CRITICAL
        return Point("technical impact", "total" if total else "partial", f"assumed, for its severity is {severity}")
    names = ("VC", "VI") if cvss.version == "4.0" else ("C", "I")
    lost = "".join(sorted(cvss.metrics[name] for name in names))
    total = lost == "HH" or (lost == "HL" and cvss.metrics["PR"] == "N")
    told = ", ".join(f"{name}:{cvss.metrics[name]}" for name in (*names, "PR"))
    return Point("technical impact", "total" if total else "partial", f"the CVSS vector says {told}")


def _mission(target: Target) -> Point:
    by_asset = {Criticality.CRITICAL: 2, Criticality.HIGH: 1}.get(target.criticality, 0)
    by_data = 1 if target.data_class is DataClass.RESTRICTED else 0
    why = f"{target.criticality} asset" + (", restricted data" if by_data else "")
    return Point("mission and well-being", _MISSION[max(by_asset, by_data)], why)
