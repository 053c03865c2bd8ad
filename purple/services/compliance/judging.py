"""What is shown of one control at one target."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from purple.contracts.frameworks import Control
from purple.domain.compliance import Breach, Evidence, Look, Status
from purple.domain.targets import Criticality, DataClass, Environment, Exposure, Target
from purple.domain.tools import ScanState, Topic
from purple.services.profiles import IMPORT

_UNSAID = frozenset({Exposure.UNKNOWN, DataClass.UNKNOWN, Environment.UNKNOWN, "", None})
_NAMES = {"unit_id": "business unit", "data_class": "data class"}


def judge(
    control: Control,
    target: Target,
    looks: Sequence[Look],
    breach: Breach | None,
    tools: Mapping[Topic, Sequence[str]],
    now: datetime,
) -> Evidence:
    """Broken by what is found, whoever looked; met where all that has to be looked into was, lately and to the end.

    Args:
        control: what is asked.
        target: one to which it applies.
        looks: of that target, by whichever tool.
        breach: the vulnerabilities of the target that the control speaks of.
        tools: by topic, those that look into it.
        now: the time.
    """
    since = now - timedelta(days=control.within_days)
    shown: list[Look] = []
    gaps: list[str] = []
    for topic in control.looked:
        known = [each for each in looks if each.tool in tools.get(topic, ())]
        good = [each for each in known if each.state is ScanState.COMPLETE and each.at >= since]
        if good:
            shown.append(max(good, key=_when))
            continue
        shown += [max(known, key=_when)] if known else []
        gaps.append(_untested(control, topic, known, tools.get(topic, ())))
    unsaid = [name for name in control.known if getattr(target, name) in _UNSAID]
    gaps += [f"the register does not say its {_NAMES.get(name, name)}" for name in unsaid]
    if breach and breach.present:
        gaps.insert(0, _found(breach))
    broken = bool(unsaid) or bool(breach and breach.present)
    status = Status.NOT_MET if broken else Status.NOT_TESTED if gaps else Status.MET
    return Evidence(target, status, tuple(dict.fromkeys(shown)), tuple(gaps), breach)


def _when(look: Look) -> datetime:
    return look.at


def _untested(control: Control, topic: Topic, known: Iterable[Look], able: Sequence[str]) -> str:
    words = topic.replace("_", " ")
    complete = [each for each in known if each.state is ScanState.COMPLETE]
    if complete:
        last = max(complete, key=_when)
        age = f"older than {control.within_days} days"
        return f"{words}: the last complete scan is of {last.at:%Y-%m-%d} by {last.tool}, {age}"
    if newest := max(known, key=_when, default=None):
        why = f": {newest.reason}" if newest.reason else ""
        return f"{words}: {newest.tool} did not look to the end on {newest.at:%Y-%m-%d}{why}"
    return f"{words}: nothing looked into it; {_named(able)} would"


def _named(tools: Sequence[str]) -> str:
    """Those that run; an import of what one wrote elsewhere goes without saying."""
    return " or ".join(name for name in tools if not name.startswith(IMPORT)) or "no tool that there is"


def _found(breach: Breach) -> str:
    more = f", and {breach.present - 1} more" if breach.present > 1 else ""
    return f"{breach.title} is open{more}"


def in_order(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The worst first; of the same, what depends most on it, then by value."""
    ranks, weights = list(Status), list(Criticality)
    return tuple(
        sorted(
            evidence,
            key=lambda each: (
                ranks.index(each.status),
                -weights.index(each.target.criticality),
                each.target.value,
            ),
        )
    )
