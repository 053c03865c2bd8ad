"""What an authorisation allows, and which rule a refusal names."""

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.trials.forms import ASIDE, DISGUISED, INSIDE, ipv4_forms
from purple.domain.errors import InvalidInputError, OutOfScopeError
from purple.domain.scope import (
    Authorisation,
    check_address,
    check_contract,
    check_resolved,
    check_window,
    parse_rule,
)
from purple.domain.targets import Address, TargetKind, address_of, normalise_url, recognise
from purple.domain.tools import Intrusiveness
from purple.domain.windows import parse_window

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def contract(include: list[str], exclude: list[str] | None = None, **changes: object) -> Authorisation:
    made = Authorisation(
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
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    "text", ["192.0.2.0/24", "example.org", "*.example.org", "https://example.org/app/", "asset:https://git.example/a"]
)
def test_a_rule_is_written_as_it_is_read(text) -> None:
    rule = parse_rule(text)
    assert parse_rule(rule.text) == rule
    assert rule.text.startswith("asset:") == text.startswith("asset:")


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


def test_a_contract_from_before_there_were_windows_keeps_its_digest() -> None:
    old = contract(["192.0.2.0/24", "*.example.org"], ["192.0.2.7"])
    assert old.digest == "98f47a47c6c6889f015217fbf54512df64860114685e26adc8508c6788eaf6ca"
    added = (
        {"windows": (parse_window("Mon 22:00-06:00 UTC"),)},
        {"forbidden_tools": ("nmap",)},
        {"document": "0" * 64},
    )
    digests = {replace(old, **each).digest for each in added}
    assert len(digests | {old.digest}) == 4


def test_a_forbidden_tool_is_named() -> None:
    forbidding = contract(["192.0.2.7"], forbidden_tools=("nmap", "wapiti"))
    check_contract(forbidding, at=NOW, intrusiveness=Intrusiveness.SAFE, tools=["sslyze"])
    with pytest.raises(OutOfScopeError, match="forbids wapiti") as refused:
        check_contract(forbidding, at=NOW, intrusiveness=Intrusiveness.SAFE, tools=["sslyze", "wapiti"])
    assert refused.value.rule == "forbidden-tool"


def test_outside_of_its_windows_a_contract_allows_only_what_sends_nothing() -> None:
    nightly = contract(["192.0.2.7"], windows=(parse_window("daily 22:00-06:00 UTC"),))
    with pytest.raises(OutOfScopeError, match="2026-01-02 22:00 UTC") as refused:
        check_window(nightly, at=NOW, intrusiveness=Intrusiveness.SAFE)
    assert refused.value.rule == "window"
    check_window(nightly, at=NOW, intrusiveness=Intrusiveness.PASSIVE)
    check_window(nightly, at=NOW + timedelta(hours=10), intrusiveness=Intrusiveness.INTRUSIVE)
    check_window(contract(["192.0.2.7"]), at=NOW, intrusiveness=Intrusiveness.INTRUSIVE)


def allows(authorisation: Authorisation, target: Address) -> bool:
    try:
        check_address(authorisation, target)
    except OutOfScopeError:
        return False
    return True


def at(url: str) -> Address:
    """A URL as a target, just as it is written."""
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    return Address(host, 0, url)


SHOP = "http://app.example.org/shop"


@pytest.mark.parametrize("path", ASIDE)
def test_no_path_leaves_a_url_that_is_included_nor_hides_in_one_that_is_excluded(path: str) -> None:
    assert not allows(contract([SHOP]), at(f"http://app.example.org{path}"))


@pytest.mark.parametrize("path", INSIDE)
def test_a_path_below_is_covered_however_it_is_written(path: str) -> None:
    assert allows(contract([SHOP]), at(f"http://app.example.org{path}"))
    assert not allows(contract(["app.example.org"], [SHOP]), at(f"http://app.example.org{path}"))


@pytest.mark.parametrize("path", DISGUISED)
def test_an_excluded_url_is_recognised_in_every_disguise(path: str) -> None:
    outside = contract(["app.example.org"], [SHOP])
    assert allows(outside, at("http://app.example.org/"))
    assert not allows(outside, at(f"http://app.example.org{path}"))


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.org/shop/", "http://app.example.org:8080/shop/", "http://app.example.org.evil.example/shop/",
        "http://app.example.org@evil.example/shop/", "http://user:pw@app.example.org/shop/", "ftp://app.example.org/shop/",
        "http://app.example.org\\@evil.example/shop/", "http://evil.example/http://app.example.org/shop/",
        "http://evil.example\\.app.example.org/shop/", "//app.example.org/shop/", "http:app.example.org/shop/",
        "http://app.example.org:0/shop/", "http://app.example.org:x/shop/", "http://[app.example.org]/shop/",
    ],
)  # fmt: skip
def test_another_authority_is_another_place(url: str) -> None:
    for target in (at(url), Address("app.example.org", 80, url)):
        assert not allows(contract([SHOP]), target)


def test_a_url_that_contradicts_its_host_or_port_is_covered_by_neither() -> None:
    named = contract(["app.example.org", "192.0.2.0/24"])
    assert allows(named, Address("app.example.org", 80, "http://app.example.org/"))
    assert not allows(named, Address("app.example.org", 80, "http://evil.example/"))
    assert not allows(named, Address("192.0.2.7", 80, "http://evil.example/"))
    assert not allows(named, Address("app.example.org", 80, "http://app.example.org:81/"))
    assert not allows(named, Address("app.example.org", 80, "gopher://app.example.org/"))


NAMES = [
    "APP.Example.ORG",
    "app.example.org.",
    "app\N{IDEOGRAPHIC FULL STOP}example.org",
    "\N{FULLWIDTH LATIN SMALL LETTER A}pp.example.org",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_the_same_in_every_spelling(name: str) -> None:
    for rule in ("app.example.org", "*.example.org"):
        assert allows(contract([rule]), Address(name))
        assert not allows(contract(["*.example.org", "app.example.org"], [rule]), Address(name))


@pytest.mark.parametrize(
    "name",
    [
        "example.org", "evilexample.org", "example.org.evil.example", ".example.org", "a b.example.org",
        "-a.example.org", "evil.example/.example.org", "evil.example#.example.org",
        "evil.example\\.example.org", "192.0.2.7", "app..example.org",
        "\N{CYRILLIC SMALL LETTER A}pp.example.com", "app.example.org:80",
    ],
)  # fmt: skip
def test_a_wildcard_covers_names_below_it_only(name: str) -> None:
    assert not allows(contract(["*.example.org"]), Address(name))


@given(st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_an_excluded_address_is_excluded_in_every_form(address: ipaddress.IPv4Address) -> None:
    everything = ["0.0.0.0/0", "::/0", "*.example.org"]
    for form in ipv4_forms(address):
        assert not allows(contract(everything, [str(address)]), Address(form)), form
        assert not allows(contract(everything, [f"::ffff:{address}"]), Address(form)), form
        assert not allows(contract(everything, ["10.0.0.0/8"]), Address(form)), form
        with pytest.raises(OutOfScopeError):
            check_resolved(contract(everything, [str(address)]), Address("a.example.org"), [form.strip(" []")])
        with pytest.raises(OutOfScopeError):
            check_resolved(contract(["*.example.org"]), Address("a.example.org"), [form.strip(" []")])


@given(st.ip_addresses(v=4), st.integers(8, 32))
def test_an_address_rule_includes_its_network_and_no_other_address(address: ipaddress.IPv4Address, prefix: int) -> None:
    network = ipaddress.ip_network((address, prefix), strict=False)
    rule = contract([str(network)])
    for form in (str(address), f"::ffff:{address}", f"{address}."):
        assert allows(rule, Address(form))
    for number in (int(network.network_address) - 1, int(network.broadcast_address) + 1):
        if 0 <= number < 2**32:
            beside = ipaddress.IPv4Address(number)
            assert not [form for form in [str(beside), *ipv4_forms(beside)] if allows(rule, Address(form))]


@given(st.ip_addresses(v=4, network="10.0.0.0/8"), st.integers(8, 31))
def test_a_network_that_holds_what_is_excluded_is_not_scanned_whole(
    address: ipaddress.IPv4Address, prefix: int
) -> None:
    network = ipaddress.ip_network((address, prefix), strict=False)
    assert allows(contract(["10.0.0.0/8"]), Address(str(network)))
    assert not allows(contract(["10.0.0.0/8"], [str(address)]), Address(str(network)))
    assert not allows(contract([f"{address}/32"]), Address(str(network)))


@pytest.mark.parametrize(
    "address",
    ["224.0.0.1", "ff02::1", "fec0::1", "64:ff9b::10.0.0.5", "::ffff:10.0.0.5", "2002:a00:5::1", "fe80::1%eth0"],
)
def test_addresses_for_many_or_that_hold_a_private_one_are_special_too(address: str) -> None:
    with pytest.raises(OutOfScopeError) as refused:
        check_resolved(contract(["app.example.org"]), Address("app.example.org"), [address])
    assert refused.value.rule == "special-range"


@pytest.mark.parametrize(
    "repository",
    ["https://g.example/Acme/App.git", "https://g.example/acme/app", "https://G.example:443/acme/x/../app.git/"],
)
def test_an_excluded_repository_is_excluded_by_its_other_names(repository: str) -> None:
    outside = contract(["g.example"], ["asset:https://g.example/acme/app.git"])
    assert allows(outside, address_of(TargetKind.REPOSITORY, "https://g.example/acme/other.git"))
    assert not allows(outside, address_of(TargetKind.REPOSITORY, repository))


segments = st.sampled_from(["shop", "admin", "..", ".", "%2e%2e", "%2E", "a", "", "..;", "%252e%252e", "c%2f.."])


@given(st.lists(segments, max_size=8))
def test_what_is_included_lies_below_the_rule_for_every_way_to_decode_it(parts: list[str]) -> None:
    url = "http://app.example.org/" + "/".join(parts)
    if not allows(contract([SHOP]), at(url)):
        return
    path = normalise_url(url).partition("example.org")[2]
    for _ in range(4):
        kept: list[str] = []
        for part in path.split("/"):
            if part.partition(";")[0] == "..":
                kept = kept[:-1]
            elif part.partition(";")[0] not in {"", "."}:
                kept.append(part)
        assert kept[:1] == ["shop"], path
        path = path.replace("%2e", ".").replace("%2E", ".").replace("%2f", "/").replace("%2F", "/").replace("%25", "%")


@given(st.text(alphabet="./;%25eEfF\\ aü?#", max_size=30))
def test_a_url_has_one_normal_form_however_odd_it_is(tail: str) -> None:
    try:
        once = normalise_url(f"http://app.example.org/{tail}")
    except InvalidInputError:
        return
    assert normalise_url(once) == once
    assert "/../" not in once.partition("?")[0]
    assert recognise(once)[1] == once or once.endswith(".git")
    assert quote(once, safe="%/?#[]@!$&'()*+,;=:~ü") == once or "?" in once
