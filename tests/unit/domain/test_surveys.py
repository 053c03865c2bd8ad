"""Which target a result belongs to, and which results belong to none."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from purple.domain.observations import Location, Observation, ObservationKind
from purple.domain.placing import Places
from purple.domain.scope import Authorisation, parse_rule
from purple.domain.surveys import Survey
from purple.domain.targets import Criticality, Target, TargetKind, recognise
from purple.domain.tools import Intrusiveness

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def target(value: str, kind: TargetKind | None = None) -> Target:
    known, normal = recognise(value) if kind is None else (kind, value)
    return Target(uuid4(), uuid4(), known, normal, normal, Criticality.MEDIUM, (), NOW)


def seen(host: str = "", port: int = 0, url: str = "", **attributes: str) -> Observation:
    place = Location(host, port, url=url)
    return Observation(ObservationKind.FLAW, "made:1", "made", place, attributes=attributes)


def found(places: Places, *several: Observation) -> list[str]:
    return [each.value if (each := places.find(one)) else "" for one in several]


REGISTER = [
    target(each)
    for each in (
        "192.0.2.0/24", "192.0.2.0/28", "192.0.2.7", "192.0.2.8:8443", "app.example.org", "https://app.example.org/",
        "https://app.example.org/shop/", "https://only.example.org/",
    )
]  # fmt: skip


FITTING = [
    (seen("192.0.2.7", 22), "192.0.2.7"),
    (seen("192.0.2.8", 8443), "192.0.2.8:8443"),
    (seen("192.0.2.8", 22), "192.0.2.0/28"),
    (seen("192.0.2.200", 22), "192.0.2.0/24"),
    (seen("198.51.100.1"), ""),
    (seen("APP.example.org.", 443), "app.example.org"),
    (seen(url="https://app.example.org/shop/cart?x=1"), "https://app.example.org/shop/"),
    (seen(url="https://app.example.org/shopping"), "https://app.example.org/"),
    (seen(url="https://app.example.org:8443/"), "app.example.org"),
    (seen("only.example.org", 22), "https://only.example.org/"),
    (seen(url="http://[::1"), ""),
    (seen(), ""),
]


@pytest.mark.parametrize(("one", "value"), FITTING)
def test_the_best_fit_is_found(one: Observation, value: str) -> None:
    assert found(Places(REGISTER), one) == [value]


def test_what_was_found_before_changes_no_answer() -> None:
    several = [(each, value) for each, value in FITTING for _ in range(2)]
    for order in (several, several[::-1]):
        assert found(Places(REGISTER), *(each for each, _ in order)) == [value for _, value in order]


def test_a_host_goes_by_each_of_its_names_once_they_are_told() -> None:
    places = Places(REGISTER)
    first, second = seen("198.51.100.5", 443), seen("198.51.100.5", name="app.example.org")
    assert found(places, first, second, first) == ["", "app.example.org", "app.example.org"]
    assert found(places, seen("web-7", address="192.0.2.7"), seen("web-7", 80)) == ["192.0.2.7"] * 2


def test_what_names_no_host_belongs_to_the_target_that_was_named() -> None:
    repository = target("git@git.example.org:a.git")
    host = target("192.0.2.7")
    code, elsewhere = Observation(ObservationKind.FLAW, "x", "x", Location(path="a.py")), seen("198.51.100.1")
    assert found(Places([repository], repository), code, elsewhere) == [repository.value] * 2
    assert found(Places([host], host), code, elsewhere) == [host.value, ""]


def authorisation(*include: str, exclude: tuple[str, ...] = ()) -> Authorisation:
    rules = tuple(map(parse_rule, include))
    return Authorisation(
        uuid4(), uuid4(), "made", "made", rules, tuple(map(parse_rule, exclude)), NOW, NOW + timedelta(1),
        Intrusiveness.PASSIVE, NOW,
    )  # fmt: skip


def survey(places: Places, contract: Authorisation, *several: Observation, most: int = 10, new: bool = False) -> Survey:
    made: dict[str, UUID] = {}
    surveyed = Survey(
        places, contract, most, given=False, new=(lambda: made.setdefault(str(len(made)), uuid4())) if new else None
    )
    surveyed.take(several)
    return surveyed


def left(surveyed: Survey) -> dict[str, str]:
    return {each["place"]: each["reason"] for each in surveyed.left_out.listed()}


def test_what_is_unknown_or_not_covered_is_counted_and_listed() -> None:
    contract = authorisation("192.0.2.0/28", exclude=("192.0.2.3",))
    several = (seen("192.0.2.7"), seen("192.0.2.3"), seen("192.0.2.99"), seen("198.51.100.1"), seen("198.51.100.1"))
    surveyed = survey(Places(REGISTER), contract, *several, seen())
    assert [each.value for each in surveyed.found.values()] == ["192.0.2.7"]
    assert (surveyed.results, surveyed.left_out.results) == (6, 5)
    assert left(surveyed) == {
        "192.0.2.3": "not covered by the authorisation: exclude address:192.0.2.3/32",
        "192.0.2.99": "not covered by the authorisation: exclude address:192.0.2.3/32",
        "198.51.100.1": "not in the register",
        "results that name no host": "no target was named for them",
    }
    assert surveyed.left_out.line().startswith("5 results are left out: 198.51.100.1 (not in the register), ")


def test_a_path_that_is_excluded_is_not_taken_from_an_application_that_is_not() -> None:
    contract = authorisation("app.example.org", exclude=("https://app.example.org/shop/admin",))
    urls = ("https://app.example.org/shop/", "https://app.example.org/shop/admin/users")
    surveyed = survey(Places(REGISTER), contract, *(seen(url=each) for each in urls))
    assert [each.value for each in surveyed.found.values()] == ["https://app.example.org/shop/"]
    assert surveyed.left_out.results == 1


def test_new_hosts_are_registered_only_where_the_authorisation_covers_them() -> None:
    contract = authorisation("198.51.100.0/24", "new.example.org")
    several = (
        seen("198.51.100.1"), seen("198.51.100.1", 80), seen("203.0.113.1"), seen("-x"),
        seen(url="https://new.example.org/a/b"), seen(url="https://new.example.org/c"),
    )  # fmt: skip
    surveyed = survey(Places([]), contract, *several, new=True)
    assert [each.value for each in surveyed.unregistered.values()] == ["198.51.100.1", "https://new.example.org/"]
    assert list(surveyed.found) == list(surveyed.unregistered)
    assert left(surveyed) == {
        "203.0.113.1": "not covered by the authorisation: not-included",
        "-x": "neither a host name nor an address",
    }


def test_a_campaign_takes_so_many_targets_and_no_more() -> None:
    contract = authorisation("198.51.100.0/24")
    surveyed = survey(Places([]), contract, *(seen(f"198.51.100.{n}") for n in range(1, 9)), most=3, new=True)
    assert len(surveyed.found) == len(surveyed.unregistered) == 3
    assert set(left(surveyed).values()) == {"too many targets"}


def test_a_list_of_what_is_left_out_is_bounded_and_its_count_is_not() -> None:
    surveyed = survey(Places([]), authorisation("192.0.2.1"), *(seen(f"h{n}.example.org") for n in range(1000)))
    assert surveyed.left_out.results == 1000
    assert len(surveyed.left_out.listed()) == 200
    assert surveyed.left_out.line().endswith("and 195 more")
