"""What undos make of their campaign's end."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from purple.domain.campaigns import CampaignState
from purple.domain.errors import OutOfScopeError
from purple.domain.scope import Authorisation, parse_rule
from purple.domain.tools import Intrusiveness
from purple.domain.undos import Undo, UndoState, wait_after
from purple.services.cleanup import judged
from purple.services.clearance import check_known

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def undo(state: UndoState, host: str = "192.0.2.1") -> Undo:
    return Undo(
        id=uuid4(),
        organisation_id=uuid4(),
        campaign_id=uuid4(),
        scan_id=uuid4(),
        tool="made",
        role="scan",
        title="",
        instructions="",
        job={"host": host, "address": host, "port": 0, "url": "", "options": {}},
        timeout_s=1.0,
        state=state,
        created_at=NOW,
    )


def test_a_campaign_without_undos_ends_as_it_would() -> None:
    ending = judged((), CampaignState.COMPLETED, "")
    assert (ending.state, ending.reason, ending.summary) == (CampaignState.COMPLETED, "", {})


def test_one_whose_undos_are_done_too() -> None:
    ending = judged([undo(UndoState.DONE)], CampaignState.COMPLETED, "")
    assert (ending.state, ending.reason, ending.summary) == (CampaignState.COMPLETED, "", {"undos": {"done": 1}})


@pytest.mark.parametrize("state", [UndoState.FAILED, UndoState.OPEN])
def test_one_that_is_not_done_is_never_a_completed_campaign(state) -> None:
    undos = [undo(UndoState.DONE), *(undo(state, f"192.0.2.{n}") for n in range(5))]
    ending = judged(undos, CampaignState.COMPLETED, "")
    assert ending.state is CampaignState.COMPLETED_WITH_GAPS
    assert ending.reason.startswith("5 changes could not be undone: made 192.0.2.0, made 192.0.2.1, made 192.0.2.2 and")
    assert ending.summary["without_undos"] == {"state": "completed", "reason": ""}
    cancelled = judged(undos, CampaignState.CANCELLED, "cancelled")
    assert cancelled.state is CampaignState.CANCELLED
    assert cancelled.reason.startswith("cancelled; 5 changes")


def test_an_undo_waits_longer_each_time_but_a_minute_at_most() -> None:
    assert [wait_after(n) for n in (1, 2, 3, 7, 1000)] == [1, 2, 4, 60, 60]


def test_revoked_or_expired_an_undo_may_run_but_never_outside_the_scope() -> None:
    def contract(include: str) -> Authorisation:
        return Authorisation(
            id=uuid4(),
            organisation_id=uuid4(),
            name="test",
            signed_by="test",
            include=(parse_rule(include),),
            exclude=(),
            valid_from=NOW,
            valid_until=NOW,
            max_intrusiveness=Intrusiveness.PASSIVE,
            created_at=NOW,
            revoked_at=NOW,
        )

    made = undo(UndoState.OPEN)
    check_known(contract("192.0.2.0/24"), made.place, made.target.address)
    with pytest.raises(OutOfScopeError):
        check_known(contract("198.51.100.0/24"), made.place, made.target.address)
