"""Why a vulnerability, a target or the organisation has its risk; the weights, and what others would change."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta
from uuid import UUID

from purple.domain.attack_graph import place_of
from purple.domain.clock import Clock, Ids
from purple.domain.cvss import Cvss, parse, score_of
from purple.domain.enrichment import Dataset, Fact
from purple.domain.errors import PreconditionFailedError
from purple.domain.identity import Actor
from purple.domain.openings import Finding, Opening, opening_of
from purple.domain.ports import UnitOfWork, Work
from purple.domain.risk import (
    ENRICHED,
    NO_RISK,
    Group,
    Known,
    Part,
    Risk,
    Weights,
    known_of,
    together,
    vector_of,
)
from purple.domain.risk_history import RiskDay, Subject
from purple.domain.risk_views import CombinedRisk, Item, Shift, Trial, VulnerabilityRisk
from purple.domain.severity import Severity
from purple.domain.ssvc import decide
from purple.domain.targets import Target
from purple.domain.trends import DAYS, day_of
from purple.domain.units import Standing, Unit
from purple.domain.vulnerabilities import Vulnerability
from purple.domain.weighing import Rules, Tally
from purple.services.events import event
from purple.services.weighing import weigh_by

SHOWN = 10
TRIED = 20_000
"""A trial looks at so many vulnerabilities at most, those of the highest risk."""
SHIFTS = 20
_BAND = 20


class Risking:
    """Everything is computed from what is there now; only the weights are kept here."""

    def __init__(self, work: Work, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def vulnerability(self, organisation_id: UUID, vulnerability_id: UUID) -> VulnerabilityRisk:
        """Its waterfall by the weights in force, and the decision of SSVC beside it; of a duplicate as it was last.

        Raises:
            NotFoundError: there is no such vulnerability.
        """
        async with self._work(organisation_id) as uow:
            found = await uow.findings.vulnerability(vulnerability_id)
            rules = await uow.risks.rules()
            weighed = next(iter(await weigh_by(uow, await uow.findings.weights([found.id]), rules.weights)), None)
            facts = await uow.library.facts(ENRICHED, found.cve)
            known = known_of(found.cve, facts)
            target = await uow.targets.get(found.target_id)
            cvss = _cvss(vector_of(weighed.weight.cvss_vector, known)) if weighed else None
            return VulnerabilityRisk(
                id=found.id,
                risk=weighed.risk if weighed else Risk(found.risk, found.risk_parts),
                cvss=cvss,
                ssvc=decide(known, cvss, found.severity, target),
                cves={cve: {name: fact for name in ENRICHED if (fact := facts[name].get(cve))} for cve in found.cve},
                weaknesses=await _weaknesses(uow, found),
                editions=await uow.library.editions(),
                opening=_opening(found, target, known),
            )

    async def target(self, organisation_id: UUID, target_id: UUID) -> CombinedRisk:
        """From its present vulnerabilities, in whose scores the asset itself is a part.

        Raises:
            NotFoundError: there is no such target.
        """
        async with self._work(organisation_id) as uow:
            await uow.targets.get(target_id)
            return await _under(uow, [target_id])

    async def machine(self, organisation_id: UUID, target_id: UUID) -> CombinedRisk:
        """Of the machine that a target is of, from the present vulnerabilities of all its targets, each flaw once.

        Raises:
            NotFoundError: there is no such target.
        """
        async with self._work(organisation_id) as uow:
            target = await uow.targets.get(target_id)
            mine = await uow.targets.all(machine_id=target.machine_id) if target.machine_id else (target,)
            return await _under(uow, [each.id for each in mine])

    async def scores(self, organisation_id: UUID, target_ids: Collection[UUID]) -> dict[UUID, int]:
        """The scores of some targets; one without a present vulnerability has 0."""
        async with self._work(organisation_id) as uow:
            known = _by_target(await uow.risks.tallies(target_ids))
        return {each: combined(known.get(each, ())).risk.score for each in target_ids}

    async def organisation(self, organisation_id: UUID) -> CombinedRisk:
        """From its targets, each as bad as its present vulnerabilities make it together; those of a machine are one."""
        async with self._work(organisation_id) as uow:
            return await _over(uow, await uow.risks.tallies(once=True))

    async def unit(self, organisation_id: UUID, unit_id: UUID) -> CombinedRisk:
        """The same of the targets of a business unit and of all below it.

        Raises:
            NotFoundError: there is no such unit.
        """
        async with self._work(organisation_id) as uow:
            await uow.units.get(unit_id)
            return await _over(uow, await uow.risks.tallies(unit_id=unit_id, once=True))

    async def history(
        self, organisation_id: UUID, subject: Subject, subject_id: UUID, since: date | None = None
    ) -> Sequence[RiskDay]:
        """How the risk of the organisation, a business unit or a target was: each score from its day on.

        By default since 90 days ago.

        Raises:
            NotFoundError: there is no such business unit or target.
        """
        first = since or day_of(self._clock.now()) - timedelta(DAYS - 1)
        async with self._work(organisation_id) as uow:
            if subject is Subject.UNIT:
                await uow.units.get(subject_id)
            elif subject is Subject.TARGET:
                await uow.targets.get(subject_id)
            return await uow.risk_history.days(subject, subject_id, first)

    async def record(self, organisation_id: UUID) -> None:
        """Keep what is the risk today of the organisation, its business units and targets."""
        async with self._work(organisation_id) as uow:
            targets = of_targets(await uow.risks.tallies())
            tallies = await uow.risks.tallies(once=True)
            units = standings(await uow.unit_tree.all(), {}, tallies)
            scores = {(Subject.TARGET, key): score for key, score in targets.items()}
            scores |= {(Subject.UNIT, each.unit.id): each.risk for each in units}
            scores[Subject.ORGANISATION, organisation_id] = score_of_all(of_machines(tallies).values())
            await uow.risk_history.keep(day_of(self._clock.now()), scores)

    async def rules(self, organisation_id: UUID) -> Rules:
        """The weights in force."""
        async with self._work(organisation_id) as uow:
            return await uow.risks.rules()

    async def set_weights(self, changes: Mapping[str, float] | None, actor: Actor, version: int | None = None) -> Rules:
        """Put others in force, or bring back those that are shipped; the relay then weighs everything again.

        Args:
            changes: weights by name; those not named stay. None is those that are shipped.
            actor: who asks.
            version: of the weights that the change was made from; None changes whatever there is.

        Raises:
            InvalidInputError: there is no such weight, or it is out of bounds.
            PreconditionFailedError: others are in force by now.
        """
        async with self._work(actor.organisation_id) as uow:
            await uow.unit_tree.hold()  # one change of an organisation's rules at a time
            present = await uow.risks.rules()
            if version not in {None, present.version}:
                raise PreconditionFailedError.since("weighting", version)
            rules = await uow.risks.set_weights(None if changes is None else present.weights.changed(changes))
            told = event(
                actor.organisation_id,
                "risk.weights_changed",
                actor.organisation_id,
                self._clock.now(),
                data={"by": actor.username, "weights": dict(changes or {}), "version": rules.version},
                occasion=str(self._ids.new()),
            )
            await uow.events.add(told)
            return rules

    async def try_weights(self, organisation_id: UUID, changes: Mapping[str, float]) -> Trial:
        """What these weights would make of what is there now; nothing is written.

        Raises:
            InvalidInputError: there is no such weight, or it is out of bounds.
        """
        async with self._work(organisation_id) as uow:
            present = (await uow.risks.rules()).weights
            wanted = present.changed(changes)
            known = {row_id: title for row_id, title, _ in await uow.risks.worst(TRIED)}
            shifts = await _shifts(uow, known, present, wanted)
            of = sum(each.count for each in await uow.risks.tallies())
        moved = sorted(shifts, key=lambda each: (-abs(each.after.score - each.before.score), str(each.id)))
        return Trial(
            looked_at=len(shifts),
            of=of,
            raised=sum(each.after.score > each.before.score for each in shifts),
            lowered=sum(each.after.score < each.before.score for each in shifts),
            bands=_bands(shifts),
            shifts=tuple(each for each in moved if each.before.score != each.after.score)[:SHIFTS],
        )


async def _shifts(uow: UnitOfWork, titles: Mapping[UUID, str], present: Weights, wanted: Weights) -> list[Shift]:
    weights = await uow.findings.weights(list(titles))
    before, after = await weigh_by(uow, weights, present), await weigh_by(uow, weights, wanted)
    return [
        Shift(row_id, titles[row_id], one.risk, other.risk)
        for one, other in zip(before, after, strict=True)
        for row_id in one.weight.ids
    ]


def _bands(shifts: Iterable[Shift]) -> list[tuple[str, int, int]]:
    before, after = Counter[int](), Counter[int]()
    for each in shifts:
        before[min(each.before.score // _BAND, 4)] += 1
        after[min(each.after.score // _BAND, 4)] += 1
    return [(f"{n * _BAND}-{n * _BAND + _BAND - 1 + (n == 4)}", before[n], after[n]) for n in reversed(range(5))]  # noqa: PLR2004 - 100 is in the last


async def _under(uow: UnitOfWork, target_ids: Collection[UUID]) -> CombinedRisk:
    """One score for the vulnerabilities of targets that are one machine, each flaw once."""
    items = tuple(Item(*each) for each in await uow.risks.worst(SHOWN, target_ids, once=len(target_ids) > 1))
    return combined(await uow.risks.tallies(target_ids, once=len(target_ids) > 1), items)


async def _over(uow: UnitOfWork, tallies: Iterable[Tally]) -> CombinedRisk:
    """One score for many targets, those of a machine taken as one, which is named after the worst of them."""
    mine = list(tallies)
    scores = of_machines(mine)
    first = sorted(scores, key=lambda key: (-scores[key], key))[:SHOWN]
    if not first:
        return CombinedRisk(NO_RISK, 0, ())
    named = {each.id: each.name for each in await uow.targets.several(first)}
    items = tuple(Item(key, named[key], scores[key]) for key in first)
    count = sum(each.count for each in mine)
    return CombinedRisk(_of_scores(list(scores.values()), items[0].name), count, items)


def _of_scores(scores: Collection[int], worst: str = "") -> Risk:
    """Of targets: the worst, named so, and the others."""
    if not scores:
        return NO_RISK
    top = max(scores)
    return together(Part("worst", top, worst), [Group("targets", "target", len(scores) - 1, sum(scores) - top)])


def of_targets(tallies: Iterable[Tally]) -> dict[UUID, int]:
    """The scores of targets with present vulnerabilities."""
    return {key: combined(several).risk.score for key, several in _by_target(tallies).items()}


def of_machines(tallies: Iterable[Tally]) -> dict[UUID, int]:
    """The same, those of a machine in one business unit taken together; by its target with the worst vulnerability."""
    scores: dict[UUID, int] = {}
    for several in _by_machine(tallies).values():
        worst = max(several, key=lambda each: (each.worst, each.target_id))
        scores[worst.target_id] = combined(several).risk.score
    return scores


def score_of_all(scores: Collection[int]) -> int:
    """One score for targets that have these."""
    return _of_scores(scores).score


def standings(units: Iterable[Unit], counts: Mapping[UUID, int], tallies: Iterable[Tally]) -> tuple[Standing, ...]:
    """How each unit stands with all that is below it, from what each target and unit has by itself."""
    known = {each.id: each for each in units}
    targets, present = Counter[UUID](), {key: Counter[Severity]() for key in known}
    scores: dict[UUID, list[int]] = {key: [] for key in known}
    for key in counts.keys() & known.keys():
        targets.update(dict.fromkeys(known[key].lineage, counts[key]))
    for (_, unit_id), several in _by_machine(tallies).items():
        unit = known.get(unit_id) if unit_id else None
        score = combined(several).risk.score
        for key in unit.lineage if unit else ():
            scores[key].append(score)
            present[key].update({each.severity: each.count for each in _by_severity(several)})
    return tuple(
        Standing(
            each,
            targets[each.id],
            {str(one): present[each.id][one] for one in reversed(Severity) if present[each.id][one]},
            score_of_all(scores[each.id]),
        )
        for each in known.values()
    )


def _by_target(tallies: Iterable[Tally]) -> dict[UUID, list[Tally]]:
    found: dict[UUID, list[Tally]] = {}
    for each in tallies:
        found.setdefault(each.target_id, []).append(each)
    return found


def _by_machine(tallies: Iterable[Tally]) -> dict[tuple[UUID, UUID | None], list[Tally]]:
    """By machine, or target that is alone, and business unit: each unit answers for what is registered in it."""
    found: dict[tuple[UUID, UUID | None], list[Tally]] = {}
    for each in tallies:
        found.setdefault((each.machine_id or each.target_id, each.unit_id), []).append(each)
    return found


def _by_severity(tallies: Iterable[Tally]) -> list[Tally]:
    """The worst severity first, each once."""
    found: dict[Severity, Tally] = {}
    for each in tallies:
        if known := found.get(each.severity):
            count, total = known.count + each.count, known.total + each.total
            each = replace(known, count=count, total=total, worst=max(known.worst, each.worst))  # noqa: PLW2901 - summed
        found[each.severity] = each
    return sorted(found.values(), key=lambda each: -each.severity.rank)


def combined(tallies: Iterable[Tally], items: tuple[Item, ...] = ()) -> CombinedRisk:
    """One score for the vulnerabilities of a target or a machine: its worst, then the others by severity."""
    known = _by_severity(tallies)
    if not known:
        return CombinedRisk(NO_RISK, 0, ())
    top = max(known, key=lambda each: each.worst)
    groups = [
        Group(
            str(each.severity),
            _LABELS[each.severity],
            each.count - (each is top),
            each.total - (top.worst if each is top else 0),
        )
        for each in known
    ]
    worst = Part("worst", top.worst, items[0].name if items else str(top.severity))
    return CombinedRisk(together(worst, groups), sum(each.count for each in known), items)


_LABELS = {each: "observation of no severity" if each is Severity.INFO else f"{each} one" for each in Severity}


def _opening(found: Vulnerability, target: Target, known: Known) -> Opening | None:
    """Of one that is present, where attackers come."""
    if not found.state.counts or place_of(target, found.host) is None:
        return None
    shared = (each.name for each in fields(Finding) if each.name in Vulnerability.__dataclass_fields__)
    return opening_of(Finding(**{name: getattr(found, name) for name in shared}), known)


def _cvss(vector: str) -> Cvss | None:
    return parse(vector) if score_of(vector) is not None else None


async def _weaknesses(uow: UnitOfWork, found: Vulnerability) -> dict[str, Fact]:
    """From weakness over attack pattern to technique, a step a statement."""
    names = [f"CWE-{number}" for number in found.cwe]
    cwes = (await uow.library.facts([Dataset.CWE], names))[Dataset.CWE]
    patterns = {f"CAPEC-{number}" for each in cwes.values() for number in each["capec"]}
    capecs = (await uow.library.facts([Dataset.CAPEC], patterns))[Dataset.CAPEC]
    wanted = {technique for each in capecs.values() for technique in each["attack"]}
    techniques = (await uow.library.facts([Dataset.ATTACK], wanted))[Dataset.ATTACK]
    told: dict[str, Fact] = {}
    for name, fact in sorted(cwes.items()):
        mine = {key: capecs[key] for number in fact["capec"] if (key := f"CAPEC-{number}") in capecs}
        used = sorted({technique for each in mine.values() for technique in each["attack"]})
        told[name] = {
            "name": fact["name"],
            "abstraction": fact["abstraction"],
            "parents": [f"CWE-{number}" for number in fact["parents"]],
            "patterns": [{"id": key, "name": each["name"]} for key, each in mine.items()],
            "techniques": [{"id": each, "name": techniques.get(each, {}).get("name", "")} for each in used],
        }
    return told
