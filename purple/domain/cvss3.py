"""The formulas of CVSS v3.0 and v3.1.

Source: FIRST, "CVSS v3.1: Specification Document", section 7 and appendix A (rounding); v3.0 differs in the modified
impact where the scope changes (v3.0, section 8.3).
"""

from collections.abc import Mapping

_IMPACT = {"H": 0.56, "L": 0.22, "N": 0.0}
_NEED = {"H": 1.5, "M": 1.0, "L": 0.5}
_WEIGHTS: dict[str, dict[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "UI": {"N": 0.85, "R": 0.62},
    "C": _IMPACT,
    "I": _IMPACT,
    "A": _IMPACT,
    "E": {"H": 1.0, "F": 0.97, "P": 0.94, "U": 0.91},
    "RL": {"U": 1.0, "W": 0.97, "T": 0.96, "O": 0.95},
    "RC": {"C": 1.0, "R": 0.96, "U": 0.92},
    "CR": _NEED,
    "IR": _NEED,
    "AR": _NEED,
}
_PRIVILEGES_CHANGED = {"N": 0.85, "L": 0.68, "H": 0.5}
"""Weights of PR where the scope changes."""
_BASE = ("AV", "AC", "PR", "UI", "S", "C", "I", "A")
_TEMPORAL = ("E", "RL", "RC")
_NEEDS = ("CR", "IR", "AR")
_MOST = 10.0
_MOST_IMPACT = 0.915

ALLOWED: dict[str, tuple[str, ...]] = {
    **{name: (*_WEIGHTS[name], "X") for name in (*_TEMPORAL, *_NEEDS)},
    **{name: tuple(_WEIGHTS.get(name, {"U": 0, "C": 0})) for name in _BASE},
    **{f"M{name}": (*_WEIGHTS.get(name, {"U": 0, "C": 0}), "X") for name in _BASE},
}


def scores(metrics: Mapping[str, str], version: str) -> tuple[float, float]:
    """Base score, and the score with temporal and environmental metrics where there are any.

    Args:
        metrics: values by metric, those not defined left out.
        version: `3.0` or `3.1`.
    """
    base = _base(metrics)
    temporal = 1.0
    for name in _TEMPORAL:
        temporal *= _WEIGHTS[name].get(metrics.get(name, ""), 1.0)
    if any(name in metrics for name in (*_NEEDS, *(f"M{name}" for name in _BASE))):
        return base, _round_up(_environmental(metrics, version) * temporal)
    return base, _round_up(base * temporal)


RULES = (ALLOWED, _BASE, scores)


def _base(metrics: Mapping[str, str]) -> float:
    kept = 1.0
    for name in ("C", "I", "A"):
        kept *= 1 - _IMPACT[metrics[name]]
    changed = metrics["S"] == "C"
    lost = 1 - kept
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if changed else 6.42 * lost
    return _together(impact, _exploitability(metrics, changed=changed), changed=changed)


def _environmental(metrics: Mapping[str, str], version: str) -> float:
    modified = {name: metrics.get(f"M{name}", metrics[name]) for name in _BASE}
    kept = 1.0
    for name, need in zip(("C", "I", "A"), _NEEDS, strict=True):
        kept *= 1 - _IMPACT[modified[name]] * _NEED[metrics.get(need, "M")]
    lost = min(1 - kept, _MOST_IMPACT)
    changed = modified["S"] == "C"
    if not changed:
        impact = 6.42 * lost
    elif version == "3.0":
        impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15
    else:
        impact = 7.52 * (lost - 0.029) - 3.25 * (lost * 0.9731 - 0.02) ** 13
    return _together(impact, _exploitability(modified, changed=changed), changed=changed)


def _exploitability(metrics: Mapping[str, str], *, changed: bool) -> float:
    privileges = (_PRIVILEGES_CHANGED if changed else _WEIGHTS["PR"])[metrics["PR"]]
    return (
        8.22
        * _WEIGHTS["AV"][metrics["AV"]]
        * _WEIGHTS["AC"][metrics["AC"]]
        * privileges
        * _WEIGHTS["UI"][metrics["UI"]]
    )


def _together(impact: float, exploitability: float, *, changed: bool) -> float:
    if impact <= 0:
        return 0.0
    return _round_up(min((1.08 if changed else 1.0) * (impact + exploitability), _MOST))


def _round_up(value: float) -> float:
    """To the next tenth, in whole numbers so that 8.6 does not become 8.7 by a float's last bit (appendix A)."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10
