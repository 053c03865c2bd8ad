"""Which scans a campaign needs: recon from the profile, the rest from what recon saw."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from purple.contracts.campaigns import MAX_LABEL, ScanStep
from purple.contracts.profiles import Profile, ProfileStep
from purple.domain.campaigns import Campaign, Phase, Scan, scan_id_of
from purple.domain.errors import InvalidInputError
from purple.domain.observations import RecordedObservation
from purple.domain.ports import UnitOfWork
from purple.domain.scan_sets import FRESH, HELD
from purple.domain.scope import Authorisation
from purple.domain.targets import Address, Target, TargetKind, authority
from purple.domain.tools import Intrusiveness, ScanState, ToolCatalogue

_HTTP_NAMES = ("http", "https", "http-alt", "http-proxy", "https-alt", "http-mgmt")
_OF_THE_NETWORK = frozenset({"host", "service", "url"})
_OFFERS = {TargetKind.REPOSITORY: frozenset({"repository"}), TargetKind.IMAGE: frozenset({"image"})}
"""What a target of a kind gives to tools; those on the network give hosts, services and URLs."""


OF_A_KIND = {TargetKind.REPOSITORY: "repository", TargetKind.API: "api"}
"""Conditions that ask for a kind of target, and for nothing that recon could find."""
_NAMED = {"ssh": "ssh", "ftp": "ftp", "redis": "redis"}
"""Services by nmap's names, and the facts that they are."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one target: where HTTP, TLS, SSH, FTP and Redis are spoken."""

    http: tuple[Address, ...] = ()
    tls: tuple[Address, ...] = ()
    ssh: tuple[Address, ...] = ()
    ftp: tuple[Address, ...] = ()
    redis: tuple[Address, ...] = ()

    def places(self, target: Target, when: str) -> tuple[Address, ...]:
        """Where a step with this condition runs."""
        if when == "always" or when == OF_A_KIND.get(target.kind):
            return (target.address,)
        found: tuple[Address, ...] = getattr(self, when, ())
        return found


def plan_of(profile: Profile, options: Mapping[str, Mapping[str, Any]], tools: ToolCatalogue) -> dict[str, Any]:
    """The profile with every tool's options filled in and checked: what a campaign keeps and follows.

    Raises:
        InvalidInputError: a tool or an option is unknown or outside its schema.
    """
    used = {step.tool for step in (*profile.recon, *profile.tools)}
    for tool in options:
        if tool not in used:
            raise InvalidInputError(
                f"profile {profile.name} does not run {tool!r}",
                field=f"options.{tool}",
                value=tool,
                remedy=f"give options of {', '.join(sorted(used))}",
            )

    def filled(step: ProfileStep) -> ProfileStep:
        tools.spec(step.tool)
        merged = {**step.options, **options.get(step.tool, {})}
        return step.model_copy(update={"options": tools.validate_options(step.tool, merged)})

    whole = profile.model_copy(
        update={"recon": tuple(map(filled, profile.recon)), "tools": tuple(map(filled, profile.tools))}
    )
    return whole.model_dump(mode="json")


def imports(profile: Profile, tools: ToolCatalogue) -> bool:
    """Whether it runs nothing and takes in files of tools that ran elsewhere."""
    steps = (*profile.recon, *profile.tools)
    return bool(steps) and all(tools.spec(step.tool).shares for step in steps)


def tools_of(profile: Profile) -> tuple[str, ...]:
    """The tools of a pipeline, each once."""
    return tuple(dict.fromkeys(step.tool for step in (*profile.recon, *profile.tools)))


def hardest(profile: Profile, tools: ToolCatalogue) -> Intrusiveness:
    """How intrusive the most intrusive tool of a pipeline is."""
    return max((tools.spec(tool).intrusiveness for tool in tools_of(profile)), key=lambda each: each.rank)


def asks(profile: Profile, step: ProfileStep, tools: ToolCatalogue) -> bool:
    """Whether a step runs only once a second person has approved its tool."""
    limit, spec = profile.limits.approve_from, tools.spec(step.tool)
    return spec.approval or step.approval or (limit is not None and spec.intrusiveness.rank >= limit.rank)


def check_targets(targets: Iterable[Target], profile: Profile, tools: ToolCatalogue) -> None:
    """Refuse what is retired, and kinds that no tool of the profile takes.

    Raises:
        InvalidInputError: names the target.
    """
    steps = (*profile.recon, *profile.tools)
    for target in targets:
        if target.retired_at is not None:
            raise InvalidInputError(
                f"{target.value} is retired",
                field="target_ids",
                value=target.value,
                remedy="leave it out, or restore it first",
            )
        if not any(takes(tools, step, target) for step in steps):
            raise InvalidInputError(
                f"no tool of profile {profile.name} takes a {target.kind}",
                field="target_ids",
                value=target.value,
                remedy="leave it out, or choose a profile with a tool for it",
            )


def takes(tools: ToolCatalogue, step: ProfileStep, target: Target) -> bool:
    """Whether a step's tool, and its condition where that asks for a kind, take a target."""
    if step.when in OF_A_KIND.values() and step.when != OF_A_KIND.get(target.kind):
        return False
    return bool(_OFFERS.get(target.kind, _OF_THE_NETWORK) & set(tools.spec(step.tool).target_kinds))


def recon_scans(
    campaign: Campaign, profile: Profile, targets: Iterable[Target], tools: ToolCatalogue, at: datetime
) -> list[Scan]:
    """One scan a recon tool and target that it takes."""
    held = _held(profile, tools)
    return [
        _scan(campaign, Phase.RECON, step, target, target.address, at, held=step.tool in held)
        for target in targets
        for step in profile.recon
        if takes(tools, step, target)
    ]


def _held(profile: Profile, tools: ToolCatalogue) -> frozenset[str]:
    """Tools whose new scans wait for approval: who approved some before has not seen where these run."""
    steps = (*profile.recon, *profile.tools)
    return frozenset(step.tool for step in steps if asks(profile, step, tools))


def tool_scans(
    campaign: Campaign,
    profile: Profile,
    targets: Iterable[Target],
    services: Iterable[RecordedObservation],
    tools: ToolCatalogue,
    at: datetime,
) -> list[Scan]:
    """One scan a tool and place that its condition asks for, of a target that it takes."""
    seen: dict[UUID, list[RecordedObservation]] = {}
    for service in services:
        seen.setdefault(service.target_id, []).append(service)
    scans = []
    held = _held(profile, tools)
    for target in targets:
        facts = facts_of(target, seen.get(target.id, ()))
        for step in profile.tools:
            if not takes(tools, step, target):
                continue
            waits = step.tool in held
            places = facts.places(target, step.when)
            scans += [_scan(campaign, Phase.TOOLS, step, target, place, at, held=waits) for place in places]
    return scans


def facts_of(target: Target, services: Iterable[RecordedObservation]) -> Facts:
    """Where to look closer. A web application's own URL is a fact even when recon failed to see it."""
    own = target.address
    http: dict[tuple[str, int], Address] = {}
    tls: dict[tuple[str, int], Address] = {}
    named: dict[str, dict[tuple[str, int], Address]] = {fact: {} for fact in _NAMED.values()}
    if target.kind in {TargetKind.WEB_APPLICATION, TargetKind.API}:
        http[own.host, own.port] = own
        if own.url.startswith("https://"):
            tls[own.host, own.port] = own
    for each in services:
        service = each.seen.service
        if service is None or each.seen.location.transport not in {"tcp", ""}:
            continue
        # a network holds many hosts; a named target keeps its name, which virtual hosts and certificates need
        host = each.seen.location.host if target.kind is TargetKind.NETWORK else own.host
        port = each.seen.location.port
        secure = service.tls or service.name in {"https", "https-alt", "ssl"}
        if secure:
            tls.setdefault((host, port), Address(host, port))
        if service.name in _NAMED:
            named[_NAMED[service.name]][host, port] = Address(host, port)
        if service.name in _HTTP_NAMES:
            scheme = "https" if secure else "http"
            http.setdefault((host, port), Address(host, port, f"{scheme}://{authority(host, port, scheme)}/"))
    found = {"http": http, "tls": tls, **named}
    return Facts(**{fact: tuple(places[key] for key in sorted(places)) for fact, places in found.items()})


async def expected(uow: UnitOfWork, authorisation: Authorisation, scans: Iterable[Scan]) -> Mapping[str, float]:
    """How long each tool takes as a rule, where that matters: a test window may be too short for it."""
    return await uow.history.durations([scan.tool for scan in scans]) if authorisation.windows else {}


def steps_of(
    scans: Iterable[Scan], tools: ToolCatalogue, durations: Mapping[str, float] | None = None
) -> tuple[ScanStep, ...]:
    """What the workflow dispatches: those that have not ended, what is worth most first."""
    known = durations or {}
    found = []
    for scan in sorted(scans, key=lambda each: -each.worth):
        if not scan.state.ended:
            spec = tools.spec(scan.tool)
            found.append(
                ScanStep(
                    scan_id=scan.id,
                    tool=scan.tool,
                    role=spec.role,
                    endpoint=scan.endpoint[:MAX_LABEL],
                    timeout_s=spec.timeout_s,
                    attempt=scan.attempt,
                    changes=spec.changes,
                    zone=scan.zone,
                    expected_s=min(known.get(scan.tool, 0.0), spec.timeout_s),
                    anytime=spec.intrusiveness is Intrusiveness.PASSIVE,
                )
            )
    return tuple(found)


def _scan(
    campaign: Campaign, phase: Phase, step: ProfileStep, target: Target, place: Address, at: datetime, *, held: bool
) -> Scan:
    key = f"{phase}:{step.tool}:{target.id}:{place.endpoint}"
    return Scan(
        id=scan_id_of(campaign.id, key),
        organisation_id=campaign.organisation_id,
        campaign_id=campaign.id,
        target_id=target.id,
        key=key,
        phase=phase,
        tool=step.tool,
        host=place.host,
        port=place.port,
        url=place.url,
        options=step.options,
        state=ScanState.PENDING,
        created_at=at,
        batch=HELD if held else FRESH,
        zone=target.zone,
    )
