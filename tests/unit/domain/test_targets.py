"""Targets are written in one normal form, and what is none is refused with its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purple.domain.errors import InvalidInputError
from purple.domain.targets import Address, TargetKind, address_of, recognise, source_of


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("HTTP://App.Example.org:80", TargetKind.WEB_APPLICATION, "http://app.example.org/"),
        ("https://[2001:DB8::1]:8443/a?b=1#c", TargetKind.WEB_APPLICATION, "https://[2001:db8::1]:8443/a?b=1"),
        ("10.0.0.0/8", TargetKind.NETWORK, "10.0.0.0/8"),
        ("Example.org.", TargetKind.HOST, "example.org"),
        ("bücher.example", TargetKind.HOST, "xn--bcher-kva.example"),
        ("127.0.0.1:8080", TargetKind.HOST, "127.0.0.1:8080"),
        ("[::1]:22", TargetKind.HOST, "[::1]:22"),
        ("https://Git.Example.org/app.git", TargetKind.REPOSITORY, "https://git.example.org/app.git"),
        ("git@git.example.org:acme/app.git", TargetKind.REPOSITORY, "git@git.example.org:acme/app.git"),
        ("https://app.example.org/?a=.git", TargetKind.WEB_APPLICATION, "https://app.example.org/?a=.git"),
    ],
)
def test_normal_form(typed: str, kind: TargetKind, value: str) -> None:
    assert recognise(typed) == (kind, value)


@pytest.mark.parametrize(
    "typed",
    ["", "-oX/tmp/x", "host;id", "http://", "ftp://a/", "http://user:pw@a/", "a b", "1.2.3", "10.0.0.1/8", "host:0"],
)
def test_what_is_no_target_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        recognise(typed)
    assert refused.value.remedy


@given(st.text(max_size=80))
def test_any_text_is_a_target_or_a_typed_refusal(typed: str) -> None:
    try:
        kind, value = recognise(typed)
    except InvalidInputError:
        return
    assert recognise(value) == (kind, value)
    assert not value.startswith("-")


SOURCES = [
    (TargetKind.REPOSITORY, "https://git.example.org:8443/a.git", ("git.example.org", 8443)),
    (TargetKind.REPOSITORY, "/srv/code/a.git", None),
    (TargetKind.REPOSITORY, "git@git.example.org:a.git", None),
    (TargetKind.IMAGE, "registry.example.org:5000/team/app:1", ("registry.example.org", 5000)),
    (TargetKind.IMAGE, "ghcr.io/team/app@sha256:00", ("ghcr.io", 0)),
    (TargetKind.IMAGE, "localhost/app", ("localhost", 0)),
    (TargetKind.IMAGE, "debian:12", ("registry-1.docker.io", 0)),
    (TargetKind.IMAGE, "team/app", ("registry-1.docker.io", 0)),
    (TargetKind.NETWORK, "10.0.0.0/8", ("10.0.0.0/8", 0)),
]


@pytest.mark.parametrize(("kind", "value", "host"), SOURCES)
def test_whom_to_ask_for_a_target_is_known_from_its_value(kind, value, host) -> None:
    source = source_of(kind, address_of(kind, value))
    assert (None if source is None else (source.host, source.port)) == host


@pytest.mark.parametrize("value", ["https://evil.example/x/app", "registry.example.org:x/app", "-x.example/app"])
def test_a_registry_is_a_host(value) -> None:
    with pytest.raises(InvalidInputError):
        source_of(TargetKind.IMAGE, Address(value))
