"""Authorisations: who allowed what to be tested, when and how hard. One check for every way to touch a target."""

import hashlib
import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from purple.domain.covering import RuleKind, ScopeRule, covers, is_special, place_of, touches
from purple.domain.errors import InvalidInputError, OutOfScopeError
from purple.domain.targets import Address, TargetKind, is_ip, normalise, normalise_host, normalise_url
from purple.domain.tools import Intrusiveness
from purple.domain.windows import Window, is_open, next_opening


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A contract: scope in and out, times, a limit of intrusiveness, tools that stay out, and who signed it."""

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
    forbidden_tools: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    """When tools may run; none is always."""
    document: str = ""
    """SHA-256 of what was signed, where it is attached."""

    @property
    def digest(self) -> str:
        """SHA-256 of what was allowed, in hexadecimal; a campaign carries it."""
        body: dict[str, object] = {
            "id": str(self.id),
            "signed_by": self.signed_by,
            "include": [str(rule) for rule in self.include],
            "exclude": [str(rule) for rule in self.exclude],
            "valid_from": self.valid_from.isoformat(),
            "valid_until": self.valid_until.isoformat(),
            "max_intrusiveness": self.max_intrusiveness,
        }
        # only where they are set: contracts from before there were such keep their digest
        added = (
            ("forbidden_tools", sorted(self.forbidden_tools)),
            ("windows", [str(window) for window in self.windows]),
            ("document", self.document),
        )
        body |= {name: value for name, value in added if value}
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
    if is_ip(host) and not wildcard:  # in brackets, or in another form
        return ScopeRule(RuleKind.ADDRESS, str(ipaddress.ip_network(host)))
    return ScopeRule(RuleKind.NAME, f"*.{host}" if wildcard else host)


def check_contract(
    authorisation: Authorisation, *, at: datetime, intrusiveness: Intrusiveness, tools: Iterable[str] = ()
) -> None:
    """Refuse what the contract does not allow at this time, at this intrusiveness or with these tools.

    Test windows are not asked: a campaign may begin outside of them, and waits. See `check_window`.

    Raises:
        OutOfScopeError: its `rule` is `revoked`, `not-yet-valid`, `expired`, `intrusiveness` or `forbidden-tool`.
    """
    label = f"authorisation {authorisation.name!r}"
    _check_validity(authorisation, label, at)
    if intrusiveness.rank > authorisation.max_intrusiveness.rank:
        raise OutOfScopeError(
            f"{label} allows at most {authorisation.max_intrusiveness} tools, this one is {intrusiveness}",
            rule="intrusiveness",
            value=intrusiveness,
            remedy="choose a gentler profile or an authorisation that allows it",
        )
    forbidden = sorted(set(tools) & set(authorisation.forbidden_tools))
    if forbidden:
        raise OutOfScopeError(
            f"{label} forbids {', '.join(forbidden)}",
            rule="forbidden-tool",
            value=forbidden[0],
            remedy="choose a profile without it",
        )


def _check_validity(authorisation: Authorisation, label: str, at: datetime) -> None:
    if authorisation.revoked_at is not None:  # whatever the clocks of who revoked it and who asks say
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


def check_window(authorisation: Authorisation, *, at: datetime, intrusiveness: Intrusiveness) -> None:
    """Refuse to run a tool outside of the contract's test windows; a passive one sends nothing, and may always.

    Raises:
        OutOfScopeError: its `rule` is `window`; unlike other refusals, waiting mends it.
    """
    if intrusiveness is Intrusiveness.PASSIVE or is_open(authorisation.windows, at):
        return
    opens = next_opening(authorisation.windows, at).opens
    raise OutOfScopeError(
        f"the test windows of authorisation {authorisation.name!r} are closed, and open {opens:%Y-%m-%d %H:%M} UTC",
        rule="window",
        remedy="wait until then",
    )


def check_address(authorisation: Authorisation, target: Address) -> None:
    """Refuse a target that the scope does not include, or excludes, as it is written.

    Raises:
        OutOfScopeError: its `rule` is `not-included` or the exclusion that matched.
    """
    place = place_of(target)
    for rule in authorisation.exclude:
        if touches(rule, place):
            raise OutOfScopeError(
                f"{target.endpoint} is excluded by {rule} of authorisation {authorisation.name!r}",
                rule=f"exclude {rule}",
                value=target.endpoint,
                remedy="leave it out of the campaign, and of a network's parts that are targets",
            )
    if not any(covers(rule, place) for rule in authorisation.include):
        raise OutOfScopeError(
            f"{target.endpoint} is not included in authorisation {authorisation.name!r}",
            rule="not-included",
            value=target.endpoint,
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
    literal = place_of(target).is_literal
    for address in found:
        place = place_of(Address(address))
        for rule in authorisation.exclude:
            if rule.kind is RuleKind.ADDRESS and touches(rule, place):
                raise OutOfScopeError(
                    f"{target.host} resolves to {address}, which is excluded by {rule}",
                    rule=f"exclude {rule}",
                    value=address,
                    remedy="leave it out of the campaign",
                )
        named = any(rule.kind is RuleKind.ADDRESS and covers(rule, place) for rule in authorisation.include)
        if not named and not literal and is_special(address):
            raise OutOfScopeError(
                f"{target.host} resolves to {address}, a loopback, private or reserved address that no rule names",
                rule="special-range",
                value=address,
                remedy=f"include {address} in the authorisation if it is meant",
            )
    return found[0]


__all__ = [
    "Authorisation",
    "RuleKind",
    "ScopeRule",
    "check_address",
    "check_contract",
    "check_resolved",
    "check_window",
    "parse_rule",
]
