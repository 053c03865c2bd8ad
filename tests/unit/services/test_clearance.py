"""How long a contract and its windows let a tool run, and until when a host that is gone is looked for."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from purple.domain.errors import OutOfScopeError
from purple.domain.scope import Authorisation
from purple.domain.tools import Intrusiveness, ToolSpec
from purple.domain.windows import parse_window
from purple.services.clearance import Clearance, Time
from tests.unit.domain.test_scope import NOW as NOON
from tests.unit.domain.test_scope import contract

WHOLE = "it did not end within a whole test window, and was stopped when that closed"
LAPSED = "it was stopped when its authorisation ended"


def clearance(now: str) -> Clearance:
    at = datetime.fromisoformat(f"2026-01-02T{now}+00:00")
    return Clearance(None, None, None, SimpleNamespace(now=lambda: at), None)  # type: ignore[arg-type]  # asks nobody else


def signed(window: str, ends_in_s: float = 86_400) -> Authorisation:
    windows = (parse_window(window),) if window else ()
    return contract(["192.0.2.0/24"], valid_until=NOON + timedelta(seconds=ends_in_s), windows=windows)


def hours(
    window: str, *, now: str = "12:00:00", ends_in_s: float = 86_400, intrusiveness: Intrusiveness = Intrusiveness.SAFE
) -> Time:
    """Of a tool that may take a minute."""
    spec = ToolSpec("made", "Made", "sees", ("host",), "recon", 60, intrusiveness)
    return clearance(now).hours(signed(window, ends_in_s), spec)


@pytest.mark.parametrize(
    ("window", "now", "left_s", "final"),
    [
        ("daily 11:00-13:00 UTC", "12:00:00", 3599, ""),  # it has time enough, and none to wait without end
        ("daily 11:00-13:00 UTC", "12:59:30", 29, ""),  # the next window has more
        ("daily 12:00:00-12:00:50 UTC", "12:00:01", 48, WHOLE),  # no window has much more
        ("daily 12:00:00-12:00:50 UTC", "12:00:30", 19, ""),
    ],
)
def test_a_window_ends_a_tool_a_second_before_it_closes(window, now, left_s, final) -> None:
    at = datetime.fromisoformat(f"2026-01-02T{now}+00:00")
    assert hours(window, now=now) == Time(at + timedelta(seconds=left_s), final)


@pytest.mark.parametrize("window", ["", "daily 00:00-24:00 UTC", "daily 11:00-13:00 UTC"])
def test_a_contract_that_ends_first_ends_it_for_good(window) -> None:
    assert hours(window, ends_in_s=30) == Time(NOON + timedelta(seconds=29), LAPSED)


def test_who_only_listens_waits_for_no_window() -> None:
    listening = hours("daily 14:00-15:00 UTC", intrusiveness=Intrusiveness.PASSIVE)
    assert listening == Time(NOON + timedelta(seconds=86_399), LAPSED)


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"window": "daily 14:00-15:00 UTC"}, "window"),
        ({"window": "daily 11:00-13:00 UTC", "now": "12:59:59"}, "window"),  # it would be stopped at once
        ({"window": "", "ends_in_s": 1}, "expired"),
    ],
)
def test_a_tool_that_could_send_nothing_in_time_is_refused(asked, rule) -> None:
    with pytest.raises(OutOfScopeError) as refused:
        hours(**asked)
    assert refused.value.rule == rule


@pytest.mark.parametrize(
    ("now", "ends_in_s", "may"),
    [
        ("11:59:59", 86_400, False),
        ("12:00:00", 86_400, True),
        ("12:59:57", 86_400, True),
        ("12:59:58", 86_400, False),
        ("12:00:00", 3, True),
        ("12:00:00", 2, False),
    ],
)
async def test_a_probe_ends_before_it_is_no_longer_allowed(now, ends_in_s, may) -> None:
    async def campaign(_: UUID) -> SimpleNamespace:
        return SimpleNamespace(authorisation_id=UUID(int=1))

    async def authorisation(_: UUID) -> Authorisation:
        return signed("daily 12:00-13:00 UTC", ends_in_s)

    uow = SimpleNamespace(campaigns=SimpleNamespace(get=campaign), authorisations=SimpleNamespace(get=authorisation))
    scan = SimpleNamespace(campaign_id=UUID(int=3), host="192.0.2.7", port=80, url="")
    assert await clearance(now).may_probe(uow, scan, "192.0.2.7") is may  # type: ignore[arg-type]  # what it reads of them
