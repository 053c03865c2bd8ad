"""What a profile would do to a target: which steps, in which order, why, and what stays out."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from purple.contracts.profiles import Profile, ProfileStep
from purple.domain.campaigns import Phase
from purple.domain.clock import Clock, Ids
from purple.domain.errors import OutOfScopeError, PurpleError
from purple.domain.ports import Work
from purple.domain.scope import Authorisation, check_address, check_contract
from purple.domain.targets import Address, Criticality, Target, recognise
from purple.domain.tools import ToolCatalogue, ToolSpec, ToolStatus
from purple.services import planning
from purple.services.profiles import Profiles
from purple.services.single import SingleScan

_FOUND = {
    "http": "web application",
    "tls": "TLS service",
    "ssh": "SSH service",
    "ftp": "FTP service",
    "redis": "Redis service",
}


class Verdict(StrEnum):
    """What becomes of a step."""

    RUNS = "runs"
    DEPENDS = "depends"
    """Recon decides."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """One step of the profile."""

    number: int
    """In the order in which they begin, from 1."""
    phase: Phase
    tool: str
    when: str
    verdict: Verdict
    why: str
    places: tuple[str, ...] = ()
    """Where it certainly runs."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A profile on a target."""

    profile: str
    version: int
    target: str
    kind: str
    authorisation: Authorisation | None
    refused: str
    """Why a campaign would not start at all; empty where it would."""
    steps: tuple[ExplainedStep, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What steps are judged by."""

    target: Target
    facts: planning.Facts
    authorisation: Authorisation | None
    statuses: Mapping[str, ToolStatus]
    recon: bool = False
    """Whether a recon step runs."""


class Explaining:
    """Starts nothing, registers nothing, sends nothing to the target."""

    def __init__(
        self, work: Work, tools: ToolCatalogue, profiles: Profiles, single: SingleScan, clock: Clock, ids: Ids
    ) -> None:
        self._work = work
        self._tools = tools
        self._profiles = profiles
        self._single = single
        self._clock = clock
        self._ids = ids

    async def explain(
        self,
        organisation_id: UUID,
        target: str,
        profile: str,
        *,
        authorisation_id: UUID | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Explanation:
        """What a campaign of the profile on the target would do now.

        Args:
            organisation_id: the tenant.
            target: as it is written, or the id of one in the register.
            profile: its name.
            authorisation_id: by default one that covers the target now.
            options: by tool, over those of the profile.

        Raises:
            InvalidInputError: the target is none, or there is no such profile.
            NotFoundError: no target or authorisation has that id.
        """
        wanted = self._profiles.load(profile)
        known = await self._target(organisation_id, target)
        contract, refused = await self._contract(organisation_id, known, authorisation_id)
        refused = refused or self._refusal(wanted, known, contract, options or {})
        names = sorted({step.tool for step in (*wanted.recon, *wanted.tools)})
        statuses = await asyncio.gather(*(asyncio.to_thread(self._tools.status, name) for name in names))
        facts = planning.facts_of(known, ())
        found = _Known(known, facts, contract, dict(zip(names, statuses, strict=True)))
        return Explanation(
            profile=wanted.name,
            version=wanted.version,
            target=known.value,
            kind=known.kind,
            authorisation=contract,
            refused=refused,
            steps=self._steps(wanted, found),
        )

    def _steps(self, profile: Profile, known: _Known) -> tuple[ExplainedStep, ...]:
        recon = [self._step(n, Phase.RECON, step, profile, known) for n, step in enumerate(profile.recon, 1)]
        known = replace(known, recon=any(each.verdict is Verdict.RUNS for each in recon))
        later = enumerate(profile.tools, 1 + len(recon))
        tools = [self._step(n, Phase.TOOLS, step, profile, known) for n, step in later]
        return (*recon, *tools)

    def _step(self, number: int, phase: Phase, step: ProfileStep, profile: Profile, known: _Known) -> ExplainedStep:
        verdict, why, places = self._judge(phase, step, known)
        if verdict is not Verdict.SKIPPED and planning.asks(profile, step, self._tools):
            why += "; a second person is asked first"
        shown = tuple(each.endpoint for each in places)
        return ExplainedStep(number, phase, step.tool, step.when, verdict, why, shown)

    def _judge(self, phase: Phase, step: ProfileStep, known: _Known) -> tuple[Verdict, str, Sequence[Address]]:
        spec = self._tools.spec(step.tool)
        if out := self._left_out(step, spec, known):
            return Verdict.SKIPPED, out, ()
        if phase is Phase.RECON:
            return Verdict.RUNS, "recon runs first, once on the target", (known.target.address,)
        places = known.facts.places(known.target, step.when)
        if step.when not in _FOUND:
            return Verdict.RUNS, _always(step, known.target), places
        return (*_found(_FOUND[step.when], known, bool(places)), places)

    def _left_out(self, step: ProfileStep, spec: ToolSpec, known: _Known) -> str:
        """Why a step cannot run on this target, whatever recon finds."""
        kind = known.target.kind.replace("_", " ")
        if step.when in planning.OF_A_KIND.values() and step.when != planning.OF_A_KIND.get(known.target.kind):
            return f"it is for targets of the kind {step.when}, this is a {kind}"
        if not planning.takes(self._tools, step, known.target):
            return f"{step.tool} takes {', '.join(spec.target_kinds)}, which a {kind} does not offer"
        status = known.statuses[step.tool]
        if not status.usable:
            return f"{step.tool} is not installed here: {status.detail}"
        if known.authorisation is not None:
            try:
                check_contract(
                    known.authorisation, at=self._clock.now(), intrusiveness=spec.intrusiveness, tools=[step.tool]
                )
            except OutOfScopeError as refused:
                return f"{refused.detail} (rule {refused.rule})"
        return ""

    async def _target(self, organisation_id: UUID, text: str) -> Target:
        """One of the register, else one that is only written so."""
        try:
            row_id = UUID(text)
        except ValueError:
            kind, value = recognise(text)
        else:
            async with self._work(organisation_id) as uow:
                return await uow.targets.get(row_id)
        async with self._work(organisation_id) as uow:
            known = await uow.targets.all(value=value)
        if known:
            return known[0]
        now = self._clock.now()
        return Target(self._ids.new(), organisation_id, kind, value, value, Criticality.MEDIUM, (), now)

    async def _contract(
        self, organisation_id: UUID, target: Target, authorisation_id: UUID | None
    ) -> tuple[Authorisation | None, str]:
        if authorisation_id is not None:
            async with self._work(organisation_id) as uow:
                return await uow.authorisations.get(authorisation_id), ""
        try:
            return await self._single.covering(organisation_id, target), ""
        except OutOfScopeError as refused:
            return None, refused.line()

    def _refusal(
        self,
        profile: Profile,
        target: Target,
        contract: Authorisation | None,
        options: Mapping[str, Mapping[str, Any]],
    ) -> str:
        """Why a campaign would be refused as a whole, as `Campaigns.start` refuses it."""
        try:
            planning.plan_of(profile, options, self._tools)
            planning.check_targets([target], profile, self._tools)
            if contract is not None:
                check_contract(
                    contract,
                    at=self._clock.now(),
                    intrusiveness=planning.hardest(profile, self._tools),
                    tools=planning.tools_of(profile),
                )
                check_address(contract, target.address)
        except PurpleError as refused:
            return refused.line()
        return ""


def _found(thing: str, known: _Known, itself: bool) -> tuple[Verdict, str]:
    """What becomes of a step that runs on what recon finds."""
    if known.recon:
        others = f"it runs once on each {thing} that recon finds"
        return (Verdict.RUNS, f"the target is a {thing} itself; {others}") if itself else (Verdict.DEPENDS, others)
    if itself:
        return Verdict.RUNS, f"the target is a {thing} itself; no recon runs that could find others"
    return Verdict.SKIPPED, f"no recon runs that could find a {thing}"


def _always(step: ProfileStep, target: Target) -> str:
    if step.when == "always":
        return "it runs whatever recon finds"
    return f"the target is of the kind {target.kind.replace('_', ' ')}"
