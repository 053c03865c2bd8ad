"""Risk follows what it depends on: sightings, the target itself, what others publish, and the weights."""

from collections.abc import Iterable
from dataclasses import dataclass

from purple.domain.ports import UnitOfWork
from purple.domain.risk import ENRICHED, Known, Risk, Weight, Weights, assess, known_of


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
