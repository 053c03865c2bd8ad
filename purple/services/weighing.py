"""Risk follows what it depends on: sightings, and the target itself."""

from collections.abc import Iterable
from uuid import UUID

from purple.domain.ports import UnitOfWork
from purple.domain.risk import assess
from purple.domain.vulnerabilities import Weight


async def weigh(uow: UnitOfWork, weights: Iterable[Weight]) -> None:
    """Write the risk of these with its reasons, where it is another than before."""
    known = tuple(weights)
    targets = {each.id: each for each in await uow.targets.several({each.target_id for each in known})}
    changed: dict[tuple[int, tuple[str, ...]], list[UUID]] = {}
    for each in known:
        risk = assess(each.severity, targets[each.target_id].criticality, each.tools, each.confidence)
        if (risk.score, risk.reasons) != (each.risk, each.reasons):
            changed.setdefault((risk.score, risk.reasons), []).extend(each.ids)
    for (score, reasons), ids in changed.items():
        await uow.findings.set_risk(ids, score, reasons)
