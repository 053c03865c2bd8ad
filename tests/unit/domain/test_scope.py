"""What an authorisation allows, and which rule a refusal names."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from purple.domain.errors import InvalidInputError, OutOfScopeError
from purple.domain.scope import Authorisation, check_address, check_contract, check_resolved, parse_rule
from purple.domain.targets import Address, TargetKind, address_of
from purple.domain.tools import Intrusiveness

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def contract(include: list[str], exclude: list[str] | None = None, revoked_at: datetime | None = None) -> Authorisation:
    return Authorisation(
        id=UUID(int=1),
        organisation_id=UUID(int=2),
        name="test",
        signed_by="A. Owner",
        include=tuple(parse_rule(text) for text in include),
        exclude=tuple(parse_rule(text) for text in exclude or []),
        valid_from=NOW - timedelta(days=1),
        valid_until=NOW + timedelta(days=1),
        max_intrusiveness=Intrusiveness.SAFE,
        created_at=NOW,
        revoked_at=revoked_at,
    )


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        ("192.0.2.0/24", Address("192.0.2.7"), Address("192.0.3.7")),
        ("app.example.org", Address("app.example.org"), Address("www.app.example.org")),
        ("*.example.org", Address("app.example.org"), Address("example.org")),
        (
            "http://app.example.org/shop",
            Address("app.example.org", 80, "http://app.example.org/shop/cart"),
            Address("app.example.org", 80, "http://app.example.org/shopping"),
        ),
        ("2001:db8::/32", Address("2001:db8::1"), Address("2001:db9::1")),
        ("10.0.0.0/8", Address("10.1.0.0/16"), Address("0.0.0.0/0")),
        ("asset:git@g.example:a.git", Address("git@g.example:a.git"), Address("git@g.example:b.git")),
        (
            "asset:https://G.example/a.git",
            Address("g.example", 443, "https://g.example/a.git"),
            Address("g.example", 443, "https://g.example/a.git/b"),
        ),
        (
            "https://g.example/acme",
            address_of(TargetKind.REPOSITORY, "https://g.example/acme/a.git"),
            address_of(TargetKind.REPOSITORY, "https://g.example/other/a.git"),
        ),
        ("127.0.0.1", Address("::ffff:127.0.0.1"), Address("::1")),
    ],
)
def test_a_rule_covers_what_it_names_and_nothing_beside_it(rule: str, inside: Address, outside: Address) -> None:
    check_address(contract([rule]), inside)
    with pytest.raises(OutOfScopeError) as refused:
        check_address(contract([rule]), outside)
    assert refused.value.rule == "not-included"


def test_an_exclusion_weighs_more_than_an_inclusion_and_is_named() -> None:
    with pytest.raises(OutOfScopeError) as refused:
        check_address(contract(["192.0.2.0/24"], ["192.0.2.7"]), Address("192.0.2.7"))
    assert refused.value.rule == "exclude address:192.0.2.7/32"


@pytest.mark.parametrize(
    ("at", "level", "rule"),
    [
        (NOW - timedelta(days=2), Intrusiveness.SAFE, "not-yet-valid"),
        (NOW + timedelta(days=1), Intrusiveness.SAFE, "expired"),
        (NOW, Intrusiveness.INTRUSIVE, "intrusiveness"),
    ],
)
def test_a_refusal_names_the_rule(at: datetime, level: Intrusiveness, rule: str) -> None:
    with pytest.raises(OutOfScopeError) as refused:
        check_contract(contract(["192.0.2.7"]), at=at, intrusiveness=level)
    assert refused.value.rule == rule
    assert refused.value.remedy


def test_a_revoked_contract_allows_nothing() -> None:
    with pytest.raises(OutOfScopeError) as refused:
        check_contract(contract(["192.0.2.7"], revoked_at=NOW), at=NOW, intrusiveness=Intrusiveness.PASSIVE)
    assert refused.value.rule == "revoked"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1"])
def test_a_name_that_points_to_a_special_range_needs_an_address_rule(address: str) -> None:
    named = Address("app.example.org")
    with pytest.raises(OutOfScopeError) as refused:
        check_resolved(contract(["app.example.org"]), named, ["203.0.114.1", address])
    assert refused.value.rule == "special-range"
    assert check_resolved(contract(["app.example.org", address]), named, [address]) == address


def test_a_network_with_host_bits_is_refused_with_its_field() -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_rule("192.0.2.7/24")
    assert refused.value.field == "include"
