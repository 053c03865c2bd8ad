"""Which scans a campaign needs: recon from the profile, the rest from what recon saw."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from purple.contracts.campaigns import ScanStep
from purple.contracts.profiles import Profile, ProfileStep
from purple.domain.campaigns import Campaign, Phase, Scan, scan_id_of
from purple.domain.errors import InvalidInputError
from purple.domain.observations import RecordedObservation
from purple.domain.targets import Address, Target, TargetKind, authority
from purple.domain.tools import ScanState, ToolCatalogue

_HTTP_NAMES = ("http", "https", "http-alt", "http-proxy", "https-alt", "http-mgmt")
_OF_THE_NETWORK = frozenset({"host", "service", "url"})
_OFFERS = {TargetKind.REPOSITORY: frozenset({"repository"}), TargetKind.IMAGE: frozenset({"image"})}
"""What a target of a kind gives to tools; those on the network give hosts, services and URLs."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one target: where HTTP, TLS and SSH are spoken."""

    http: tuple[Address, ...] = ()
    tls: tuple[Address, ...] = ()
    ssh: tuple[Address, ...] = ()


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


def check_targets(targets: Iterable[Target], profile: Profile, tools: ToolCatalogue) -> None:
    """Refuse kinds that no tool of the profile takes.

    Raises:
        InvalidInputError: names the target.
    """
    steps = (*profile.recon, *profile.tools)
    for target in targets:
        if not any(_takes(tools, step, target) for step in steps):
            raise InvalidInputError(
                f"no tool of profile {profile.name} takes a {target.kind}",
                field="target_ids",
                value=target.value,
                remedy="leave it out, or choose a profile with a tool for it",
            )


def _takes(tools: ToolCatalogue, step: ProfileStep, target: Target) -> bool:
    return bool(_OFFERS.get(target.kind, _OF_THE_NETWORK) & set(tools.spec(step.tool).target_kinds))


def recon_scans(
    campaign: Campaign, profile: Profile, targets: Iterable[Target], tools: ToolCatalogue, at: datetime
) -> list[Scan]:
    """One scan a recon tool and target that it takes."""
    return [
        _scan(campaign, Phase.RECON, step, target, target.address, at)
        for target in targets
        for step in profile.recon
        if _takes(tools, step, target)
    ]


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
    for target in targets:
        facts = facts_of(target, seen.get(target.id, ()))
        for step in profile.tools:
            if not _takes(tools, step, target):
                continue
            places = {"always": (target.address,), "http": facts.http, "tls": facts.tls, "ssh": facts.ssh}[step.when]
            scans += [_scan(campaign, Phase.TOOLS, step, target, place, at) for place in places]
    return scans


def facts_of(target: Target, services: Iterable[RecordedObservation]) -> Facts:
    """Where to look closer. A web application's own URL is a fact even when recon failed to see it."""
    own = target.address
    http: dict[tuple[str, int], Address] = {}
    tls: dict[tuple[str, int], Address] = {}
    ssh: dict[tuple[str, int], Address] = {}
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
        if service.name == "ssh":
            ssh[host, port] = Address(host, port)
        if service.name in _HTTP_NAMES:
            scheme = "https" if secure else "http"
            http.setdefault((host, port), Address(host, port, f"{scheme}://{authority(host, port, scheme)}/"))
    return Facts(*(tuple(places[key] for key in sorted(places)) for places in (http, tls, ssh)))


def steps_of(scans: Iterable[Scan], tools: ToolCatalogue) -> tuple[ScanStep, ...]:
    """What the workflow dispatches: those that have not ended, what is worth most first."""
    found = []
    for scan in sorted(scans, key=lambda each: -each.worth):
        if not scan.state.ended:
            spec = tools.spec(scan.tool)
            found.append(
                ScanStep(
                    scan_id=scan.id,
                    tool=scan.tool,
                    role=spec.role,
                    endpoint=scan.endpoint,
                    timeout_s=spec.timeout_s,
                    attempt=scan.attempt,
                    changes=spec.changes,
                    zone=scan.zone,
                )
            )
    return tuple(found)


def _scan(campaign: Campaign, phase: Phase, step: ProfileStep, target: Target, place: Address, at: datetime) -> Scan:
    where = place.url or (f"{place.host}:{place.port}" if place.port else place.host)
    key = f"{phase}:{step.tool}:{target.id}:{where}"
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
        zone=target.zone,
    )
