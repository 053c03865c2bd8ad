"""AI triage: an order of remediation that cites what it speaks of. The model advises and decides nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from purple.contracts.campaigns import CampaignRef, Triaged
from purple.domain.campaigns import Phase
from purple.domain.clock import Clock
from purple.domain.errors import UnavailableError
from purple.domain.observations import RecordedObservation
from purple.domain.ports import ModelProvider, UnitOfWork, Work
from purple.domain.reports import Advice, Triage, TriageState
from purple.domain.vulnerabilities import Vulnerability
from purple.services.events import enter, event, nth

MAX_ORDERED = 1_000
"""Of a campaign, the worst: as many as a report tells of."""
_CITED = 3
_EVIDENCE = 300
_TRIES = 2


class _Ranked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    vulnerability: str
    reason: str = Field(min_length=1, max_length=600)
    observations: list[str] = Field(min_length=1, max_length=_CITED)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    summary: str = Field(min_length=1, max_length=1200)
    order: list[_Ranked] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class _Case:
    """What the model is shown, under short handles that it can copy without error."""

    vulnerabilities: dict[str, Vulnerability]
    observations: dict[str, RecordedObservation]
    owner: dict[str, str]
    """Observation handle to vulnerability handle."""


class TriageService:
    """May run twice: the first result of a round stands."""

    def __init__(
        self, work: Work, model: ModelProvider | None, prompt: str, clock: Clock, *, max_findings: int = 20
    ) -> None:
        self._work = work
        self._model = model
        self._prompt = prompt
        self._clock = clock
        self._max = max_findings

    async def triage(self, ref: CampaignRef) -> Triaged:
        """Order what a campaign saw."""
        async with self._work(ref.organisation_id) as uow:
            campaign = await uow.campaigns.get(ref.campaign_id)
            await enter(uow, ref, Phase.TRIAGE, self._clock.now())
            known = await uow.triages.find(campaign.id)
            worst = await uow.findings.seen_by(campaign.id, MAX_ORDERED)
            present = [each for each in worst if each.state.counts]
            case = await self._case(uow, present)
        if known is not None and known.round >= ref.round:
            return _told(known)
        made = await self._advise(ref, present, case)  # no transaction is held while the model thinks
        async with self._work(ref.organisation_id) as uow:
            stored = await self._keep(uow, made)
            data = {"state": stored.state, "reason": stored.reason, "model": stored.model}
            await uow.events.add(
                event(
                    ref.organisation_id,
                    "triage.ended",
                    campaign.id,
                    stored.created_at,
                    campaign_id=campaign.id,
                    data=data,
                    occasion=nth(ref),
                )
            )
        return _told(stored)

    @staticmethod
    async def _keep(uow: UnitOfWork, made: Triage) -> Triage:
        """The first of a round stands."""
        await uow.triages.upsert(made)
        stored = await uow.triages.get(made.id)
        if stored.round >= made.round:
            return stored
        fields = ("state", "reason", "model", "summary", "advice", "created_at", "round")
        return await uow.triages.update(made.id, **{name: getattr(made, name) for name in fields})

    async def _case(self, uow: UnitOfWork, present: Sequence[Vulnerability]) -> _Case:
        case = _Case({}, {}, {})
        shown = present[: self._max]
        observed = await uow.findings.observed(one for each in shown for one in each.observation_ids[:_CITED])
        for number, each in enumerate(shown, 1):
            handle = f"V{number}"
            case.vulnerabilities[handle] = each
            for observation_id in each.observation_ids[:_CITED]:
                cited = f"O{len(case.observations) + 1}"
                case.observations[cited] = observed[observation_id]
                case.owner[cited] = handle
        return case

    async def _advise(self, ref: CampaignRef, present: Sequence[Vulnerability], case: _Case) -> Triage:
        def made(state: TriageState, reason: str, summary: str, advice: tuple[Advice, ...]) -> Triage:
            return Triage(
                id=ref.campaign_id,
                organisation_id=ref.organisation_id,
                state=state,
                reason=reason,
                model=self._model.name if self._model else "",
                summary=summary,
                advice=advice,
                created_at=self._clock.now(),
                round=ref.round,
            )

        rules = by_risk(present)
        if self._model is None:
            return made(TriageState.SKIPPED, "no model", "", rules)
        if not present:
            return made(TriageState.SKIPPED, "nothing to triage", "", ())
        reason = ""
        for _ in range(_TRIES):
            try:
                text = await self._model.complete(system=self._prompt, prompt=_shown(case), schema=_schema(case))
                answer = check_answer(text, case.owner, case.vulnerabilities)
            except UnavailableError as error:
                return made(TriageState.FAILED, error.detail, "", rules)
            except ValueError as error:
                reason = f"the model's answer does not hold: {error}"
                continue
            return made(TriageState.ADVISED, "", answer.summary, _ordered(answer, case, present))
        return made(TriageState.FAILED, reason, "", rules)


def by_risk(present: Sequence[Vulnerability]) -> tuple[Advice, ...]:
    """The rule-based order: worst risk first, its reasons as they are."""
    return tuple(
        Advice(each.id, rank, "; ".join(each.risk_reasons), each.observation_ids[:_CITED])
        for rank, each in enumerate(present, 1)
    )


def check_answer(text: str, owner: Mapping[str, str], known: Mapping[str, Any]) -> _Answer:
    """Hold a model's answer to the schema and to what it was shown.

    Raises:
        ValueError: it is no JSON of the schema, speaks of what is not there, or cites what belongs to another.
    """
    try:
        answer = _Answer.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'answer'}: {first['msg']}") from None
    for each in answer.order:
        if each.vulnerability not in known:
            raise ValueError(f"{each.vulnerability[:40]!r} is not a vulnerability of this campaign")
        for cited in each.observations:
            if owner.get(cited) != each.vulnerability:
                raise ValueError(f"{cited[:40]!r} is not an observation of {each.vulnerability}")
    places: dict[str, _Ranked] = {}
    for each in answer.order:  # what is said of a vulnerability again adds nothing: its first place stands
        places.setdefault(each.vulnerability, each)
    return answer.model_copy(update={"order": list(places.values())})


def _ordered(answer: _Answer, case: _Case, present: Sequence[Vulnerability]) -> tuple[Advice, ...]:
    """The model's order, then what it left out, by risk."""
    chosen: list[tuple[UUID, str, tuple[UUID, ...]]] = []
    for each in answer.order:
        cited = tuple(case.observations[handle].id for handle in each.observations)
        chosen.append((case.vulnerabilities[each.vulnerability].id, each.reason, cited))
    ranked = {vulnerability_id for vulnerability_id, _, _ in chosen}
    left = [each for each in present if each.id not in ranked]
    chosen += [(each.id, "; ".join(each.risk_reasons), each.observation_ids[:_CITED]) for each in left]
    return tuple(Advice(one, rank, reason, cited) for rank, (one, reason, cited) in enumerate(chosen, 1))


def _shown(case: _Case) -> str:
    """The findings as JSON: tool output is data in there and never an instruction."""
    rows = []
    for handle, each in case.vulnerabilities.items():
        cited = {
            name: case.observations[name].seen.evidence[:_EVIDENCE] or case.observations[name].seen.title
            for name, owner in case.owner.items()
            if owner == handle
        }
        rows.append(
            {
                "vulnerability": handle,
                "title": each.title,
                "severity": each.severity,
                "risk": each.risk,
                "where": each.url or f"{each.host}:{each.port}",
                "observations": cited,
            }
        )
    return json.dumps({"findings": rows}, ensure_ascii=False)


def _schema(case: _Case) -> dict[str, Any]:
    """JSON schema of the answer, its handles spelt out so that a constrained decoder can name no other."""
    ranked = [
        {
            "type": "object",
            "properties": {
                "vulnerability": {"type": "string", "enum": [handle]},
                "reason": {"type": "string", "maxLength": 200},
                "observations": {
                    "type": "array",
                    "items": {"type": "string", "enum": [cited for cited, of in case.owner.items() if of == handle]},
                    "minItems": 1,
                    "maxItems": _CITED,
                },
            },
            "required": ["vulnerability", "reason", "observations"],
            "additionalProperties": False,
        }
        for handle in case.vulnerabilities
    ]
    order = {"type": "array", "items": {"anyOf": ranked}, "minItems": 1, "maxItems": len(case.vulnerabilities)}
    return {
        "type": "object",
        "properties": {"summary": {"type": "string", "maxLength": 400}, "order": order},
        "required": ["summary", "order"],
        "additionalProperties": False,
    }


def _told(triage: Triage) -> Triaged:
    return Triaged(state=triage.state, reason=triage.reason, ranked=len(triage.advice))
