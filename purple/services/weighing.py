"""Risk follows what it depends on: sightings, the target itself, what others publish, and the weights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from purple.domain.events import Event
from purple.domain.ports import UnitOfWork
from purple.domain.risk import ENRICHED, Known, Risk, Weight, Weights, assess, known_of
from purple.services.events import event


@dataclass(frozen=True, slots=True)
class Weighed:
    """Some that are alike, with the risk that they have now."""

    weight: Weight
    risk: Risk

    @property
    def moved(self) -> bool:
        """Whether it is another risk than the one that is stored."""
        return (self.risk.score, self.risk.parts) != (self.weight.risk, self.weight.parts)


async def weigh(uow: UnitOfWork, weights: Iterable[Weight]) -> tuple[Weighed, ...]:
    """Write the risk of these with its parts, where it is another than before; those where it is."""
    known = tuple(weights)
    if not known:
        return ()
    weighed = await weigh_by(uow, known, (await uow.risks.rules()).weights)
    moved = tuple(each for each in weighed if each.moved)
    await uow.findings.set_risks([(each.weight.ids, each.risk) for each in moved])
    return moved


async def weigh_by(uow: UnitOfWork, weights: Iterable[Weight], rules: Weights) -> list[Weighed]:
    """The risk of these by some weights; nothing is written. Targets and facts are looked up once for all."""
    known = tuple(weights)
    targets = {each.id: each for each in await uow.targets.several({each.target_id for each in known})}
    facts = await known_each(uow, {each.cve for each in known})
    return [Weighed(each, assess(each, targets[each.target_id], facts[each.cve], rules)) for each in known]


async def known_each(uow: UnitOfWork, sets: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], Known]:
    """What is known of each of these sets of CVEs."""
    wanted = tuple(sets)
    facts = await uow.library.facts(ENRICHED, {cve for cves in wanted for cve in cves})
    return {cves: known_of(cves, facts) for cves in wanted}


def scored(moved: Iterable[Weighed]) -> list[tuple[UUID, Weighed]]:
    """Those with another score, or that are exploited now and were not, or the other way; of others words moved."""
    return [(row_id, each) for each in moved if _seen(each) for row_id in each.weight.ids]


def _seen(each: Weighed) -> bool:
    exploited = [any(part.name == "kev" for part in parts) for parts in (each.risk.parts, each.weight.parts)]
    return each.risk.score != each.weight.risk or exploited[0] != exploited[1]


def rescored(  # noqa: PLR0913 - what an event holds
    organisation_id: UUID,
    row_id: UUID,
    each: Weighed,
    now: datetime,
    causes: Sequence[str],
    occasion: str,
    *,
    campaign_id: UUID | None = None,
    editions: dict[str, str] | None = None,
) -> Event:
    """The event that a vulnerability has another score, and why.

    A cause is the name of a dataset, whose version `editions` tells, or `weights`, `release`, `sighting`, `target`.
    With the same occasion it is told once.
    """
    data: dict[str, object] = {"before": each.weight.risk, "after": each.risk.score, "cause": list(causes)}
    data |= {"editions": editions} if editions else {}
    told = "vulnerability.rescored"
    return event(organisation_id, told, row_id, now, campaign_id=campaign_id, data=data, occasion=occasion)
