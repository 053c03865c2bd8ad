"""What was looked at to the end before: what is worth looking at first, and what need not be looked at again."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from purple.domain.campaigns import Phase, Scan
from purple.domain.targets import Criticality
from purple.domain.tools import ScanState

HORIZON = timedelta(days=30)
"""Whatever was last seen before that is as good as never seen."""
_CRITICALITY = 40
_FOUND = {"http": 20, "tls": 10, "ssh": 10, "always": 0}
"""By a step's condition: what recon found widens what a tool can find, a web application most."""
_PERIOD = re.compile(r"([1-9]\d{0,3})([hd])")


@dataclass(frozen=True, slots=True)
class LastScan:
    """The newest complete scan of a tool with these options at a place."""

    id: UUID
    campaign_id: UUID
    target_id: UUID
    tool: str
    host: str
    port: int
    url: str
    options: dict[str, Any]
    ended_at: datetime


class Coverage(Protocol):
    """Complete scans of the past."""

    async def last(self, target_ids: Sequence[UUID], since: datetime, besides: UUID) -> Sequence[LastScan]:
        """The newest of each tool, options and place on these targets, of other campaigns than one."""
        ...


def period(text: str) -> timedelta | None:
    """`7d` or `12h`; None for empty.

    Raises:
        ValueError: it is neither.
    """
    if not text:
        return None
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no period such as 7d or 12h")
    number = int(found[1])
    return timedelta(days=number) if found[2] == "d" else timedelta(hours=number)


def worth(criticality: Criticality, condition: str, last: LastScan | None, now: datetime) -> int:
    """How soon a scan should run: 0 to 170.

    The criticality of its target counts most; then what recon found there, and how many days ago the tool last looked.
    """
    age = min(now - last.ended_at, HORIZON) if last else HORIZON
    return _CRITICALITY * list(Criticality).index(criticality) + _FOUND.get(condition, 0) + max(age.days, 0)


def weighed(
    scans: Iterable[Scan],
    lasts: Iterable[LastScan],
    criticalities: Mapping[UUID, Criticality],
    conditions: Mapping[str, str],
    skip: timedelta | None,
    now: datetime,
) -> list[Scan]:
    """Scans with what they are worth, the most valuable first; those that a recent one covers are skipped.

    Args:
        scans: as they were planned.
        lasts: what was complete before.
        criticalities: of the targets.
        conditions: of the tools.
        skip: what is younger is not looked at again; None looks at everything. Recon is always done: the plan needs it.
        now: the time.
    """
    known = {_place(each): each for each in lasts}
    made = []
    for scan in scans:
        last = known.get(_place(scan))
        value = worth(criticalities[scan.target_id], conditions.get(scan.tool, ""), last, now)
        weighty = replace(scan, worth=value)
        if skip and last and scan.phase is not Phase.RECON and now - last.ended_at < skip:
            weighty = replace(
                weighty,
                state=ScanState.SKIPPED,
                reason=f"scan {last.id} of {last.ended_at:%Y-%m-%d %H:%M} UTC covers it, complete and younger than "
                f"the profile's limit",
                covered_by=last.id,
                ended_at=now,
            )
        made.append(weighty)
    return sorted(made, key=lambda each: (-each.worth, each.key))


def _place(scan: Scan | LastScan) -> tuple[object, ...]:
    return (scan.target_id, scan.tool, scan.host, scan.port, scan.url, json.dumps(scan.options, sort_keys=True))
