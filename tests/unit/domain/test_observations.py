"""An observation's id is made of all that it says, and of nothing else."""

from dataclasses import fields, replace
from uuid import UUID

import pytest

from purple.domain.observations import (
    FlawClass,
    Location,
    Observation,
    ObservationKind,
    Service,
    observation_id_of,
)
from purple.domain.severity import Severity

SCAN = UUID(int=7)
SEEN = Observation(
    kind=ObservationKind.SERVICE, rule="made", title="Made", location=Location("192.0.2.7", 80), service=Service("http")
)
OTHER = {
    "kind": ObservationKind.FLAW,
    "location": Location("192.0.2.8", 80),
    "severity": Severity.HIGH,
    "flaw_class": FlawClass.CODE,
    "cve": ("CVE-2020-1",),
    "cwe": (79,),
    "cvss_score": 9.8,
    "references": ("https://example.org",),
    "confidence": 0.5,
    "service": None,
    "attributes": {"cipher": "RC4"},
}


def test_the_same_sighting_of_the_same_scan_has_the_same_id() -> None:
    again = replace(SEEN, location=Location("192.0.2.7", 80), service=Service("http"))
    assert observation_id_of(SCAN, again) == observation_id_of(SCAN, SEEN)
    built = replace(SEEN, title="made".capitalize())  # another object
    assert observation_id_of(SCAN, built) == observation_id_of(SCAN, SEEN)
    assert observation_id_of(UUID(int=8), SEEN) != observation_id_of(SCAN, SEEN)


def test_an_id_is_the_same_in_every_process() -> None:
    assert observation_id_of(SCAN, SEEN) == UUID("7ce90ecb-50b4-5a8a-af0f-a95253a99724")


@pytest.mark.parametrize("name", [each.name for each in fields(Observation)])
def test_each_field_makes_another_id(name) -> None:
    other = replace(SEEN, **{name: OTHER.get(name, "other words")})
    assert observation_id_of(SCAN, other) != observation_id_of(SCAN, SEEN)


@pytest.mark.parametrize(("part", "kind"), [("location", Location), ("service", Service)])
def test_each_field_of_its_parts_makes_another_id(part, kind) -> None:
    present = getattr(SEEN, part)
    for each in fields(kind):
        value = {int: 1, bool: True, tuple: ("cpe:/a:b",)}.get(type(getattr(present, each.name)), "other")
        other = replace(SEEN, **{part: replace(present, **{each.name: value})})
        assert observation_id_of(SCAN, other) != observation_id_of(SCAN, SEEN), each.name
