"""What is worth scanning first, and what need not be scanned again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purple.domain.campaigns import Phase, Scan
from purple.domain.coverage import LastScan, period, weighed, worth
from purple.domain.targets import Criticality
from purple.domain.tools import ScanState

NOW = datetime(2026, 1, 31, tzinfo=UTC)
TARGET = UUID(int=1)


def scan(tool: str = "wapiti", target: UUID = TARGET, phase: Phase = Phase.TOOLS, **changes: Any) -> Scan:
    fields: dict[str, Any] = {"host": "192.0.2.1", "port": 0, "url": "", "options": {"a": 1, "b": [2]}}
    return Scan(
        id=uuid4(),
        organisation_id=uuid4(),
        campaign_id=uuid4(),
        target_id=target,
        key=f"{phase}:{tool}:{target}",
        phase=phase,
        tool=tool,
        state=ScanState.PENDING,
        created_at=NOW,
        **fields | changes,
    )


def last(of: Scan, days: float, **changes: Any) -> LastScan:
    fields = {name: getattr(of, name) for name in ("target_id", "tool", "host", "port", "url", "options")}
    return LastScan(id=uuid4(), campaign_id=uuid4(), ended_at=NOW - timedelta(days=days), **fields | changes)


def plan(scans: list[Scan], lasts: list[LastScan], skip: timedelta | None = None, **criticality: Any) -> list[Scan]:
    criticalities = {each.target_id: Criticality.MEDIUM for each in scans} | criticality.get("of", {})
    return weighed(scans, lasts, criticalities, {"wapiti": "http", "sslyze": "tls"}, skip, NOW)


def test_what_matters_most_comes_first() -> None:
    vital, minor = UUID(int=2), UUID(int=3)
    scans = [scan(target=minor), scan("sslyze"), scan(), scan("sslyze", target=vital)]
    ordered = plan(scans, [], of={vital: Criticality.CRITICAL, minor: Criticality.LOW})
    assert [(each.target_id, each.tool) for each in ordered] == [
        (vital, "sslyze"),
        (TARGET, "wapiti"),
        (TARGET, "sslyze"),
        (minor, "wapiti"),
    ]


def test_what_was_looked_at_long_ago_comes_before_what_was_looked_at_today() -> None:
    old, new = scan(target=UUID(int=4)), scan(target=UUID(int=5))
    assert plan([new, old], [last(old, 20), last(new, 0.5)])[0].target_id == old.target_id


def test_a_recent_complete_scan_covers_the_same_and_only_the_same() -> None:
    same = scan()
    (covered,) = plan([same], [before := last(same, 3)], timedelta(days=7))
    assert (covered.state, covered.covered_by, covered.gap) == (ScanState.SKIPPED, before.id, False)
    assert f"scan {before.id} of 2026-01-28" in covered.reason
    for other in (
        last(same, 8),
        last(same, 3, options={"a": 2, "b": [2]}),
        last(same, 3, url="http://192.0.2.1/"),
        last(same, 3, port=443),
        last(same, 3, tool="nmap"),
        last(same, 3, target_id=uuid4()),
    ):
        (pending,) = plan([same], [other], timedelta(days=7))
        assert (pending.state, pending.covered_by) == (ScanState.PENDING, None)
    (pending,) = plan([same], [last(same, 3)], None)
    assert pending.state is ScanState.PENDING, "the profile does not allow it"
    recon = scan("nmap", phase=Phase.RECON)
    (pending,) = plan([recon], [last(recon, 1)], timedelta(days=7))
    assert pending.state is ScanState.PENDING, "the plan needs what recon finds"


def test_the_order_of_options_does_not_matter() -> None:
    same = scan()
    (covered,) = plan([same], [last(same, 1, options={"b": [2], "a": 1})], timedelta(days=7))
    assert covered.state is ScanState.SKIPPED


@given(st.sampled_from(Criticality), st.sampled_from(["http", "tls", "ssh", "always", ""]), st.integers(-5, 400))
def test_worth_stays_in_its_bounds_and_grows_with_age(criticality: Criticality, condition: str, days: int) -> None:
    value = worth(criticality, condition, last(scan(), days), NOW)
    assert 0 <= value <= 170
    assert (
        value <= worth(criticality, condition, last(scan(), days + 1), NOW) <= worth(criticality, condition, None, NOW)
    )


@pytest.mark.parametrize(
    ("text", "length"),
    [("", None), ("7d", timedelta(days=7)), ("12h", timedelta(hours=12)), ("9999d", timedelta(9999))],
)
def test_periods(text, length) -> None:
    assert period(text) == length


@pytest.mark.parametrize("text", ["7", "d", "0d", "-1d", "7 d", "7m", "99999d", "7d\n"])
def test_what_is_no_period(text) -> None:
    with pytest.raises(ValueError, match="is no period"):
        period(text)
