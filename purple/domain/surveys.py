"""Whose results a file holds: each is matched to the register and held to the authorisation."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from purple.domain.errors import InvalidInputError, OutOfScopeError
from purple.domain.imports import LeftOut
from purple.domain.observations import Observation
from purple.domain.placing import Places, label, place_of, target_value
from purple.domain.scope import Authorisation, RuleKind, ScopeRule, check_address
from purple.domain.targets import Address, Criticality, Target, TargetKind, is_ip, recognise

_MOST_REMEMBERED = 50_000
_NOT_REGISTERED = "not in the register"
_NO_HOST = "no target was named for them"
_ELSEWHERE = "not the target that was named"
_TOO_MANY = "too many targets"


class Survey:
    """What is found while a file is read once: the targets that it speaks of, and what is left out."""

    def __init__(
        self,
        places: Places,
        authorisation: Authorisation,
        most: int,
        *,
        given: bool,
        new: Callable[[], UUID] | None = None,
    ) -> None:
        """Begin.

        Args:
            places: the targets that may be found.
            authorisation: what must cover them.
            most: so many targets a campaign may have.
            given: whether the targets were named, and others are not looked for.
            new: gives ids to targets that are not in the register; without it none is added.
        """
        self._places = places
        self._authorisation = authorisation
        self._most = most
        self._given = given
        self._new = new
        self._refusals: dict[tuple[UUID, Address], str] = {}
        self.results = 0
        self.left_out = LeftOut()
        self.found: dict[UUID, Target] = {}
        """Targets with results, in the order in which they were met."""
        self.unregistered: dict[UUID, Target] = {}
        """Of these, those that are to be registered."""

    def take(self, several: Iterable[Observation]) -> None:
        """Look at some results."""
        for seen in several:
            self.results += 1
            place = place_of(seen)
            target = self._places.find(seen) or self._made(place)
            if isinstance(target, str):
                self.left_out.add(label(place), target)
                continue
            refusal = self._refusal(target, place)
            if not refusal and target.id not in self.found and len(self.found) >= self._most:
                refusal = _TOO_MANY
            if refusal:
                self.left_out.add(label(place), refusal)
            else:
                self.found.setdefault(target.id, target)

    def _made(self, place: Address) -> Target | str:
        """A target for a place that the register does not have, or why there is none."""
        if not place.host:
            return _NO_HOST
        if self._new is None or self._given:
            return _ELSEWHERE if self._given else _NOT_REGISTERED
        try:
            kind, value = recognise(target_value(place))
        except InvalidInputError:
            return "neither a host name nor an address"
        made = _unregistered(self._authorisation, self._new(), kind, value)
        if refusal := self._refusal(made, place):
            return refusal
        if len(self.found) >= self._most:
            return _TOO_MANY
        self._places.add(made)
        self.unregistered[made.id] = made
        return made

    def _refusal(self, target: Target, place: Address) -> str:
        """Why the authorisation does not cover it; empty where it does."""
        if not place.url:
            place = Address(place.host)  # a scope speaks of ports in URLs alone
        key = (target.id, place)
        if key not in self._refusals:
            if len(self._refusals) >= _MOST_REMEMBERED:
                self._refusals.clear()
            try:
                check_covered(self._authorisation, target, place)
            except OutOfScopeError as refused:
                self._refusals[key] = f"not covered by the authorisation: {refused.rule}"
            else:
                self._refusals[key] = ""
        return self._refusals[key]


def check_covered(authorisation: Authorisation, target: Target, place: Address) -> None:
    """Hold a result to the scope: its target must be included, and its own place neither outside nor excluded.

    Raises:
        OutOfScopeError: names the rule.
    """
    check_address(authorisation, target.address)
    if not place.host or target.kind in {TargetKind.REPOSITORY, TargetKind.IMAGE}:
        return
    if target.kind is TargetKind.NETWORK:
        check_address(authorisation, place)
        return
    # its target is included, under whatever name: only what excludes the place itself is still to be asked
    own = ScopeRule(RuleKind.ADDRESS if is_ip(place.host) else RuleKind.NAME, place.host)
    check_address(replace(authorisation, include=(own,)), place)


def _unregistered(authorisation: Authorisation, new_id: UUID, kind: TargetKind, value: str) -> Target:
    never = datetime.min  # noqa: DTZ901 - it is never kept
    return Target(new_id, authorisation.organisation_id, kind, value, value, Criticality.MEDIUM, (), never)
