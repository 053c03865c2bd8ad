"""What recon saw decides what follows."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from purple.domain.errors import InvalidInputError
from purple.domain.observations import Location, Observation, ObservationKind, RecordedObservation, Service
from purple.domain.targets import Criticality, Target, TargetKind
from purple.services.planning import check_targets, facts_of
from purple.services.profiles import Profiles, parse_profile
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def target(kind: TargetKind, value: str) -> Target:
    return Target(uuid4(), uuid4(), kind, value, value, Criticality.MEDIUM, (), NOW)


def service(host: str, port: int, name: str, *, tls: bool = False, transport: str = "tcp") -> RecordedObservation:
    seen = Observation(
        kind=ObservationKind.SERVICE,
        rule="made",
        title="made",
        location=Location(host=host, port=port, transport=transport),
        service=Service(name=name, tls=tls),
    )
    return RecordedObservation(uuid4(), uuid4(), uuid4(), uuid4(), uuid4(), "made", "", seen, NOW)


def test_an_http_port_is_a_url_and_tls_a_service() -> None:
    seen = [
        service("192.0.2.1", 80, "http"),
        service("192.0.2.1", 8443, "http", tls=True),
        service("192.0.2.1", 25, "smtp"),
    ]
    facts = facts_of(target(TargetKind.HOST, "www.example.org"), seen)
    assert [each.url for each in facts.http] == ["http://www.example.org/", "https://www.example.org:8443/"]
    assert [(each.host, each.port) for each in facts.tls] == [("www.example.org", 8443)]


def test_an_ssh_service_is_looked_at_wherever_it_listens() -> None:
    seen = [
        service("192.0.2.1", 2222, "ssh"),
        service("192.0.2.1", 22, "ssh"),
        service("192.0.2.1", 23, "telnet"),
        service("192.0.2.1", 2223, "ssh", transport="udp"),
    ]
    facts = facts_of(target(TargetKind.HOST, "shell.example.org"), seen)
    assert [(each.host, each.port) for each in facts.ssh] == [("shell.example.org", 22), ("shell.example.org", 2222)]
    assert facts.http == facts.tls == ()


def test_a_web_application_is_looked_at_even_when_recon_saw_nothing() -> None:
    facts = facts_of(target(TargetKind.WEB_APPLICATION, "https://app.example.org/shop/"), [])
    assert [each.url for each in facts.http] == ["https://app.example.org/shop/"]
    assert [each.port for each in facts.tls] == [443]


def test_ftp_and_redis_are_services_too() -> None:
    seen = [service("192.0.2.1", 2121, "ftp"), service("192.0.2.1", 6379, "redis"), service("192.0.2.1", 53, "domain")]
    facts = facts_of(target(TargetKind.HOST, "192.0.2.1"), seen)
    assert [(each.host, each.port) for each in facts.ftp] == [("192.0.2.1", 2121)]
    assert [(each.host, each.port) for each in facts.redis] == [("192.0.2.1", 6379)]
    assert facts.ssh == ()


@pytest.mark.parametrize(
    ("kind", "value", "conditions"),
    [
        (TargetKind.REPOSITORY, "https://git.example.org/app.git", {"always", "repository"}),
        (TargetKind.API, "https://api.example.org/v1", {"always", "api", "http", "tls"}),
        (TargetKind.WEB_APPLICATION, "http://app.example.org/", {"always", "http"}),
        (TargetKind.HOST, "192.0.2.1", {"always"}),
    ],
)
def test_a_kind_of_target_is_a_condition_that_recon_does_not_decide(kind, value, conditions) -> None:
    one = target(kind, value)
    facts = facts_of(one, [])
    every = ("always", "http", "tls", "ssh", "ftp", "redis", "repository", "api")
    assert {when for when in every if facts.places(one, when)} == conditions


def test_its_own_url_is_not_looked_at_twice() -> None:
    own = target(TargetKind.WEB_APPLICATION, "http://192.0.2.1:8080/shop/")
    facts = facts_of(own, [service("192.0.2.1", 8080, "http")])
    assert [each.url for each in facts.http] == ["http://192.0.2.1:8080/shop/"]


def test_a_network_gives_each_host_its_own_address() -> None:
    seen = [
        service("192.0.2.1", 80, "http"),
        service("192.0.2.2", 80, "http"),
        service("192.0.2.3", 80, "http", transport="udp"),
    ]
    facts = facts_of(target(TargetKind.NETWORK, "192.0.2.0/30"), seen)
    assert [each.url for each in facts.http] == ["http://192.0.2.1/", "http://192.0.2.2/"]


TAKEN = [
    ("discovery", TargetKind.NETWORK, "192.0.2.0/30", True),
    ("standard", TargetKind.WEB_APPLICATION, "http://192.0.2.1/", True),
    ("standard", TargetKind.REPOSITORY, "https://git.example.org/app.git", False),
    ("import-sarif", TargetKind.REPOSITORY, "https://git.example.org/app.git", True),
    ("import-sarif", TargetKind.IMAGE, "app:1", True),
    ("import-sarif", TargetKind.WEB_APPLICATION, "http://192.0.2.1/", True),
    ("discovery", TargetKind.IMAGE, "app:1", False),
    ("code", TargetKind.REPOSITORY, "https://git.example.org/app.git", True),
    ("code", TargetKind.IMAGE, "app:1", False),
    ("api", TargetKind.API, "https://api.example.org/v1", True),
]


@pytest.mark.parametrize(("profile", "kind", "value", "taken"), TAKEN)
def test_a_profile_takes_the_targets_that_its_tools_take(profile, kind, value, taken, tmp_path) -> None:
    tools = Catalogue(Programs(tmp_path, tmp_path))
    wanted = Profiles().load(profile)
    if taken:
        assert check_targets([target(kind, value)], wanted, tools) is None
    else:
        with pytest.raises(InvalidInputError, match=f"no tool of profile {profile} takes a {kind}"):
            check_targets([target(kind, value)], wanted, tools)


def test_every_profile_of_ours_loads() -> None:
    profiles = Profiles()
    assert {"quick", "web", "network", "api", "code", "full", "standard", "discovery", "tls"} <= set(profiles.names())
    for name in profiles.names():
        assert profiles.load(name).name == name


@pytest.mark.parametrize(
    "text",
    [
        "name: [",
        "name: x",
        "{name: x, version: 1, title: t, steps: []}",
        "{name: x, version: 1, title: t, limits: {parallel: 0}}",
    ],
)
def test_a_malformed_profile_names_what_is_wrong(text: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        parse_profile(text, "x")
    assert refusal.value.field
