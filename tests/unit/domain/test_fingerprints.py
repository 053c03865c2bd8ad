"""Sightings of one flaw meet; of two flaws do not."""

from dataclasses import replace
from uuid import UUID

from purple.domain.fingerprints import fingerprint
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind
from purple.domain.targets import TargetKind

TARGET = UUID(int=7)
SEEN = Observation(
    kind=ObservationKind.FLAW,
    rule="wapiti:sql",
    title="SQL Injection",
    location=Location(host="127.0.0.1", port=8080, url="http://127.0.0.1:8080/item/4?id=1", parameter="id"),
    flaw_class=FlawClass.ENDPOINT,
    weakness="sql-injection",
)


def test_two_tools_that_word_one_flaw_differently_mean_one_vulnerability() -> None:
    other = replace(
        SEEN,
        rule="other:1042",
        title="Injection (SQL)",
        location=replace(SEEN.location, port=0, url="http://127.0.0.1:8080/item/9?id=%27"),
    )
    assert fingerprint(TARGET, SEEN) == fingerprint(TARGET, other)


def test_another_place_weakness_or_target_is_another_vulnerability() -> None:
    prints = {
        fingerprint(TARGET, SEEN),
        fingerprint(UUID(int=8), SEEN),
        fingerprint(TARGET, replace(SEEN, weakness="path-traversal")),
        fingerprint(TARGET, replace(SEEN, location=replace(SEEN.location, parameter="q"))),
        fingerprint(TARGET, replace(SEEN, location=replace(SEEN.location, port=8081))),
        fingerprint(TARGET, replace(SEEN, location=replace(SEEN.location, url="http://127.0.0.1:8080/list"))),
    }
    assert len(prints) == 6


def test_a_tool_tells_flaws_of_one_rule_apart_by_its_fields() -> None:
    one, two = (replace(SEEN, attributes={"cipher": cipher}) for cipher in ("RC4", "3DES"))
    assert fingerprint(TARGET, one) == fingerprint(TARGET, two)
    assert fingerprint(TARGET, one, ["cipher"]) != fingerprint(TARGET, two, ["cipher"])


def test_a_field_that_is_not_told_keeps_no_tool_apart() -> None:
    assert fingerprint(TARGET, SEEN, ["cipher"]) == fingerprint(TARGET, SEEN)


def test_in_a_network_each_host_has_its_own() -> None:
    other = replace(SEEN, cve=("CVE-2026-1",), location=replace(SEEN.location, host="127.0.0.2"))
    one = replace(other, location=SEEN.location)
    assert fingerprint(TARGET, one) == fingerprint(TARGET, other), "an address and a name of one host meet"
    assert fingerprint(TARGET, one, (), TargetKind.NETWORK) != fingerprint(TARGET, other, (), TargetKind.NETWORK)
