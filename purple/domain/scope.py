"""Authorisations: who allowed what to be tested, when and how hard. One check for every way to touch a target."""

import hashlib
import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from purple.domain.errors import InvalidInputError, OutOfScopeError
from purple.domain.targets import Address, TargetKind, is_ip, normalise, normalise_host, normalise_url
from purple.domain.tools import Intrusiveness


class RuleKind(StrEnum):
    """What a scope rule speaks of."""

    ADDRESS = "address"
    """An IP address or network."""
    NAME = "name"
    """A host name; `*.example.org` covers every name below it, not itself."""
    URL = "url"
    """Every URL that begins with this one, cut at a path segment."""
    ASSET = "asset"
    """A repository or image, as the register writes it."""


@dataclass(frozen=True, slots=True)
class ScopeRule:
    """One line of a scope."""

    kind: RuleKind
    value: str

    def __str__(self) -> str:
        """As refusals name it."""
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A contract: scope in and out, a window of time, a limit of intrusiveness."""

    id: UUID
    organisation_id: UUID
    name: str
    signed_by: str
    include: tuple[ScopeRule, ...]
    exclude: tuple[ScopeRule, ...]
    valid_from: datetime
    valid_until: datetime
    max_intrusiveness: Intrusiveness
    created_at: datetime
    revoked_at: datetime | None = None
    version: int = 1

    @property
    def digest(self) -> str:
        """SHA-256 of what was allowed, in hexadecimal; a campaign carries it."""
        body = {
            "id": str(self.id),
            "signed_by": self.signed_by,
            "include": [str(rule) for rule in self.include],
            "exclude": [str(rule) for rule in self.exclude],
            "valid_from": self.valid_from.isoformat(),
            "valid_until": self.valid_until.isoformat(),
            "max_intrusiveness": self.max_intrusiveness,
        }
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def parse_rule(text: str, field: str = "include") -> ScopeRule:
    """Read a rule as users write it: an address or network, a name, `*.name`, a URL prefix, or `asset:` and a value.

    Raises:
        InvalidInputError: it is none of these, or a network has host bits set.
    """
    stripped = text.strip()
    if stripped.startswith("asset:"):
        return ScopeRule(RuleKind.ASSET, normalise(TargetKind.REPOSITORY, stripped.removeprefix("asset:")))
    if "://" in stripped:
        return ScopeRule(RuleKind.URL, normalise_url(stripped, field))
    if is_ip(stripped) or "/" in stripped:
        try:
            return ScopeRule(RuleKind.ADDRESS, str(ipaddress.ip_network(stripped)))
        except ValueError as error:
            raise InvalidInputError(
                f"{text!r} is not a network: {error}", field=field, value=text, remedy="write it as 192.0.2.0/24"
            ) from None
    wildcard = stripped.startswith("*.")
    host = normalise_host(stripped[2:] if wildcard else stripped, field)
    return ScopeRule(RuleKind.NAME, f"*.{host}" if wildcard else host)


def check_contract(authorisation: Authorisation, *, at: datetime, intrusiveness: Intrusiveness) -> None:
    """Refuse what the contract does not allow at this time or at this intrusiveness, whatever the target.

    Raises:
        OutOfScopeError: its `rule` is `revoked`, `not-yet-valid`, `expired` or `intrusiveness`.
    """
    label = f"authorisation {authorisation.name!r}"
    if authorisation.revoked_at is not None and authorisation.revoked_at <= at:
        raise OutOfScopeError(
            f"{label} was revoked on {authorisation.revoked_at:%Y-%m-%d %H:%M} UTC",
            rule="revoked",
            remedy="ask its owner for a new authorisation",
        )
    if at < authorisation.valid_from:
        raise OutOfScopeError(
            f"{label} is valid from {authorisation.valid_from:%Y-%m-%d %H:%M} UTC",
            rule="not-yet-valid",
            remedy="start the campaign after that time",
        )
    if at >= authorisation.valid_until:
        raise OutOfScopeError(
            f"{label} expired on {authorisation.valid_until:%Y-%m-%d %H:%M} UTC",
            rule="expired",
            remedy="ask its owner for a new authorisation",
        )
    if intrusiveness.rank > authorisation.max_intrusiveness.rank:
        raise OutOfScopeError(
            f"{label} allows at most {authorisation.max_intrusiveness} tools, this one is {intrusiveness}",
            rule="intrusiveness",
            value=intrusiveness,
            remedy="choose a gentler profile or an authorisation that allows it",
        )


def check_address(authorisation: Authorisation, target: Address) -> None:
    """Refuse a target that the scope does not include, or excludes, as it is written.

    Raises:
        OutOfScopeError: its `rule` is `not-included` or the exclusion that matched.
    """
    for rule in authorisation.exclude:
        if _matches(rule, target):
            raise OutOfScopeError(
                f"{_shown(target)} is excluded by {rule} of authorisation {authorisation.name!r}",
                rule=f"exclude {rule}",
                value=_shown(target),
                remedy="leave it out of the campaign",
            )
    if not any(_matches(rule, target) for rule in authorisation.include):
        raise OutOfScopeError(
            f"{_shown(target)} is not included in authorisation {authorisation.name!r}",
            rule="not-included",
            value=_shown(target),
            remedy="add it to an authorisation's scope, signed by who may allow it",
        )


def check_resolved(authorisation: Authorisation, target: Address, addresses: Iterable[str]) -> str:
    """Choose the address a tool may connect to, out of what a name resolved to.

    Every answer must pass: a name that also points elsewhere could be switched between check and use. A name in
    scope covers public addresses it resolves to; loopback, private, link-local and other special ranges need an
    address rule of their own (server-side request forgery by DNS).

    Returns:
        The first address.

    Raises:
        OutOfScopeError: its `rule` is `special-range` or the exclusion that matched.
        InvalidInputError: there is no address.
    """
    found = tuple(addresses)
    if not found:
        raise InvalidInputError(f"{target.host} has no address", field="target", value=target.host, remedy="check DNS")
    for address in found:
        literal = Address(address)
        for rule in authorisation.exclude:
            if rule.kind is RuleKind.ADDRESS and _matches(rule, literal):
                raise OutOfScopeError(
                    f"{target.host} resolves to {address}, which is excluded by {rule}",
                    rule=f"exclude {rule}",
                    value=address,
                    remedy="leave it out of the campaign",
                )
        named = any(rule.kind is RuleKind.ADDRESS and _matches(rule, literal) for rule in authorisation.include)
        if not named and not target.is_literal and not ipaddress.ip_address(address).is_global:
            raise OutOfScopeError(
                f"{target.host} resolves to {address}, a loopback, private or reserved address that no rule names",
                rule="special-range",
                value=address,
                remedy=f"include {address} in the authorisation if it is meant",
            )
    return found[0]


def _matches(rule: ScopeRule, target: Address) -> bool:
    match rule.kind:
        case RuleKind.ADDRESS:
            return _in_network(rule.value, target.host)
        case RuleKind.NAME:
            if rule.value.startswith("*."):
                return target.host.endswith(rule.value[1:])
            return target.host == rule.value
        case RuleKind.ASSET:
            return rule.value == (target.url or target.host)
        case RuleKind.URL:
            prefix = rule.value.rstrip("/")
            return target.url == rule.value or target.url.startswith((f"{prefix}/", f"{prefix}?"))


def _in_network(network: str, host: str) -> bool:
    try:
        ip = ipaddress.ip_address(host)
        scope = ipaddress.ip_network(network)
    except ValueError:
        try:
            # A network target is covered by a rule that contains all of it.
            inner, outer = ipaddress.ip_network(host), ipaddress.ip_network(network)
        except ValueError:
            return False
        return isinstance(inner, type(outer)) and inner.subnet_of(outer)  # type: ignore[arg-type]  # same version by isinstance
    mapped = getattr(ip, "ipv4_mapped", None)
    return ip in scope or (mapped is not None and mapped in scope)


def _shown(target: Address) -> str:
    return target.url or (f"{target.host}:{target.port}" if target.port else target.host)
