"""The one place where contracts are asked, by campaigns, tools and imports alike; what they refuse is written down."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from purple.contracts.profiles import Profile
from purple.domain.campaigns import Campaign, Scan
from purple.domain.clock import Clock, Ids, Resolver
from purple.domain.errors import InvalidInputError, OutOfScopeError
from purple.domain.gates import PROBE
from purple.domain.pages import Page, Query
from purple.domain.ports import UnitOfWork, Work
from purple.domain.refusals import Refusal
from purple.domain.scope import Authorisation, check_address, check_contract, check_resolved, check_window
from purple.domain.targets import Address, TargetKind, source_of
from purple.domain.tools import Intrusiveness, ToolCatalogue, ToolSpec
from purple.domain.windows import opening
from purple.services import planning
from purple.services.batching import targets_of

MARGIN = timedelta(seconds=1)
"""So long before a window closes, or a contract ends, a tool is stopped, so that nothing is sent after it."""

_WHOLE = "it did not end within a whole test window, and was stopped when that closed"
_LAPSED = "it was stopped when its authorisation ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of a contract, as a refusal tells it."""

    organisation_id: UUID
    authorisation_id: UUID | None = None
    campaign_id: UUID | None = None
    scan_id: UUID | None = None
    target: str = ""
    tool: str = ""
    occasion: str = ""
    """Tells two refusals of one rule to one scan or campaign apart, such as an attempt."""


@dataclass(frozen=True, slots=True)
class Time:
    """How long a tool may run."""

    until: datetime
    """When the closing window, or the end of the contract, ends it, unless its own time-out does."""
    final: str = ""
    """Why it would fare no better in another window, for people."""


class Clearance:
    """Asks the contract as it stands now."""

    def __init__(self, work: Work, tools: ToolCatalogue, resolver: Resolver, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._tools = tools
        self._resolver = resolver
        self._clock = clock
        self._ids = ids

    async def check_campaign(self, uow: UnitOfWork, campaign: Campaign, authorisation: Authorisation) -> None:
        """The contract holds now, allows every tool of the profile, and covers each target as it is written.

        Raises:
            OutOfScopeError: it does not; test windows are not asked, for a campaign waits for them.
        """
        self._check_tools(campaign, authorisation)
        async for targets in targets_of(uow, campaign):
            for target in targets:
                check_address(authorisation, target.address)

    def check_still(self, campaign: Campaign, authorisation: Authorisation) -> None:
        """The contract is still the one that the campaign began under, and allows all that it does.

        Raises:
            OutOfScopeError: it does not.
        """
        check_same(campaign, authorisation)
        self._check_tools(campaign, authorisation)

    def _check_tools(self, campaign: Campaign, authorisation: Authorisation) -> None:
        profile = Profile.model_validate(campaign.plan)
        hardest, tools = planning.hardest(profile, self._tools), planning.tools_of(profile)
        check_contract(authorisation, at=self._clock.now(), intrusiveness=hardest, tools=tools)

    def check_tool(self, campaign: Campaign, authorisation: Authorisation, spec: ToolSpec) -> None:
        """The contract is still the one that the campaign began under, holds now, and allows the tool.

        Raises:
            OutOfScopeError: it does not.
        """
        check_same(campaign, authorisation)
        now = self._clock.now()
        check_contract(authorisation, at=now, intrusiveness=spec.intrusiveness, tools=[spec.name])

    def hours(self, authorisation: Authorisation, spec: ToolSpec) -> Time:
        """How long a tool may run: until the test window closes or the contract ends.

        Raises:
            OutOfScopeError: no window is open, or the contract ends at any moment.
        """
        now = self._clock.now()
        contract, window = Time(authorisation.valid_until - MARGIN, _LAPSED), self._window(authorisation, spec, now)
        if contract.until <= now:
            check_contract(authorisation, at=authorisation.valid_until, intrusiveness=spec.intrusiveness)
        return contract if window is None or contract.until < window.until else window

    @staticmethod
    def _window(authorisation: Authorisation, spec: ToolSpec, now: datetime) -> Time | None:
        """None where no window closes."""
        if spec.intrusiveness is Intrusiveness.PASSIVE:
            return None
        check_window(authorisation, at=now, intrusiveness=spec.intrusiveness)
        now_open = opening(authorisation.windows, now)
        left = now_open.left(now) if now_open else None
        if now_open is None or left is None:
            return None
        if left <= MARGIN:  # it is as good as closed
            check_window(authorisation, at=now_open.closes, intrusiveness=spec.intrusiveness)
        whole = timedelta(seconds=spec.timeout_s)
        too_long = left - MARGIN < whole and now_open.has_room(now, whole)
        return Time(now_open.closes - MARGIN, _WHOLE if too_long else "")

    async def address(self, scan: Scan, kind: TargetKind, authorisation: Authorisation, spec: ToolSpec) -> str:
        """The one address that a tool may connect to; empty where nothing is connected to, as for an import.

        Raises:
            OutOfScopeError: the scope does not cover the target, or what its name resolves to.
            InvalidInputError: its name does not resolve.
        """
        place = Address(scan.host, scan.port, scan.url)
        check_address(authorisation, place)
        source = source_of(kind, place)
        if spec.imports or source is None:
            return ""
        if "/" in source.host:  # a network: it was checked whole, and nothing is to be resolved
            return source.host
        found = (source.host,) if source.is_literal else await self._resolver.resolve(source.host)
        return check_resolved(authorisation, source, found)

    async def may_probe(self, uow: UnitOfWork, scan: Scan, address: str) -> bool:
        """Whether the contract of a scan allows to connect, now and without a tool, to where its tool would."""
        campaign = await uow.campaigns.get(scan.campaign_id)
        authorisation = await uow.authorisations.get(campaign.authorisation_id)
        now = self._clock.now()
        try:
            for at in (now, now + PROBE):
                check_contract(authorisation, at=at, intrusiveness=Intrusiveness.SAFE)
                check_window(authorisation, at=at, intrusiveness=Intrusiveness.SAFE)
            check_known(authorisation, Address(scan.host, scan.port, scan.url), address)
        except OutOfScopeError:
            return False
        return True

    async def withdrawn(self, uow: UnitOfWork, campaign: Campaign, scan: Scan | None = None) -> str:
        """Why what runs under a contract must stop: it was revoked. Empty where it was not."""
        authorisation = await uow.authorisations.get(campaign.authorisation_id)
        if authorisation.revoked_at is None:
            return ""
        try:
            check_contract(authorisation, at=self._clock.now(), intrusiveness=Intrusiveness.PASSIVE)
        except OutOfScopeError as refused:
            asked = asked_for(scan, campaign, scan.attempt) if scan else asked_by(campaign, campaign.run_id)
            await self.note(uow, refused, asked)
            return f"{refused.detail} (rule {refused.rule})"
        return ""

    async def note(self, uow: UnitOfWork, refused: OutOfScopeError | InvalidInputError, asked: Asked) -> None:
        """Write a refusal down with the change that follows from it; the same one twice is once."""
        rule = refused.rule if isinstance(refused, OutOfScopeError) else refused.code
        subject = asked.scan_id or asked.campaign_id
        await uow.refusals.upsert(
            Refusal(
                id=uuid5(subject, f"refusal|{rule}|{asked.occasion}") if subject else self._ids.new(),
                organisation_id=asked.organisation_id,
                at=self._clock.now(),
                rule=rule,
                detail=refused.detail,
                target=asked.target or (refused.value if rule in _OF_TARGETS or rule.startswith("exclude ") else ""),
                tool=asked.tool or (refused.value if rule == "forbidden-tool" else ""),
                authorisation_id=asked.authorisation_id,
                campaign_id=asked.campaign_id,
                scan_id=asked.scan_id,
            )
        )

    async def refuse(self, refused: OutOfScopeError, asked: Asked) -> None:
        """Write down a refusal from which no change follows."""
        async with self._work(asked.organisation_id) as uow:
            await self.note(uow, refused, asked)

    async def page(self, organisation_id: UUID, query: Query) -> Page[Refusal]:
        """What was refused, by default newest first."""
        async with self._work(organisation_id) as uow:
            return await uow.refusals.page(query)


_OF_TARGETS = frozenset({"not-included", "no-authorisation"})
"""Rules whose refused value is a target."""


def check_known(authorisation: Authorisation, place: Address, address: str) -> None:
    """The scope still covers a target, and the address that its name once resolved to; empty where there was none.

    Raises:
        OutOfScopeError: it does not.
    """
    check_address(authorisation, place)
    if address and "/" not in place.host:  # a network was checked whole
        check_resolved(authorisation, place, (address,))


def check_same(campaign: Campaign, authorisation: Authorisation) -> None:
    """Hold a campaign to the contract as it was when it started.

    Raises:
        OutOfScopeError: it has changed.
    """
    if authorisation.digest != campaign.authorisation_digest:
        raise OutOfScopeError(
            f"authorisation {authorisation.name!r} is not the one the campaign started under",
            rule="changed",
            remedy="start a new campaign",
        )


def asked_by(campaign: Campaign, occasion: str) -> Asked:
    """What a campaign asks."""
    return Asked(
        organisation_id=campaign.organisation_id,
        authorisation_id=campaign.authorisation_id,
        campaign_id=campaign.id,
        occasion=occasion,
    )


def asked_for(scan: Scan, campaign: Campaign, occasion: int) -> Asked:
    """What a scan asks."""
    return Asked(
        organisation_id=scan.organisation_id,
        authorisation_id=campaign.authorisation_id,
        campaign_id=scan.campaign_id,
        scan_id=scan.id,
        target=scan.endpoint,
        tool=scan.tool,
        occasion=str(occasion),
    )
