"""Pure parts of steering: what a signed word is bound to, what is asked for, what travels with a start."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from purple.contracts.campaigns import CampaignInput, Order, ScanStep, Skip
from purple.contracts.profiles import Limits, Profile, ProfileStep
from purple.domain.identity import Action
from purple.domain.steering import Approval, ApprovalState, Orders
from purple.domain.tools import Intrusiveness
from purple.services.ordering import about
from purple.services.planning import asks, hardest, tools_of
from purple.services.steering import MAX_SENT, by_reference
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs


@pytest.fixture(scope="module")
def tools(tmp_path_factory) -> Catalogue:
    place = tmp_path_factory.mktemp("tools")
    return Catalogue(Programs(place, place), ())


def test_a_signed_word_is_bound_to_all_that_is_asked_and_not_to_itself() -> None:
    order = Order(action=Action.SKIP, tool="nmap", reason="fragile")
    assert about(order) == about(order.model_copy(update={"token": "signed"}))
    for change in ({"tool": "nuclei"}, {"action": Action.APPROVE}, {"reason": ""}, {"scan_id": uuid4()}):
        assert about(order.model_copy(update=change)) != about(order)


def test_a_step_asks_for_approval_by_itself_or_by_how_hard_its_tool_is(tools) -> None:
    gentle, hard = ProfileStep(tool="nmap"), ProfileStep(tool="wapiti")
    profile = Profile(name="p", version=1, title="", tools=(gentle, hard, gentle))
    assert tools_of(profile) == ("nmap", "wapiti")
    assert hardest(profile, tools) is tools.spec("wapiti").intrusiveness
    assert not asks(profile, hard, tools)
    assert asks(profile, hard.model_copy(update={"approval": True}), tools)
    assert asks(profile, ProfileStep(tool="hydra"), tools), "its own folder says so"
    limited = profile.model_copy(update={"limits": Limits(approve_from=Intrusiveness.INTRUSIVE)})
    assert [asks(limited, step, tools) for step in (gentle, hard)] == [False, True]


def test_who_was_waited_for_as_a_campaign_ended_has_time_again_in_the_next_round() -> None:
    until = datetime(2026, 1, 1, tzinfo=UTC)
    approvals = {str(state): Approval(state, until) for state in ApprovalState}
    orders = Orders(parallel=3, approvals=approvals)
    after = {tool: each.state for tool, each in orders.asked_anew.approvals.items()}
    assert after == {str(state): state for state in ApprovalState} | {"waiting": ApprovalState.EXPIRED}
    assert replace(orders.asked_anew, approvals=approvals) == orders


def test_many_targets_stay_in_the_row() -> None:
    few = CampaignInput(
        organisation_id=uuid4(),
        name="",
        profile="quick",
        target_ids=tuple(uuid4() for _ in range(MAX_SENT)),
        authorisation_id=uuid4(),
    )
    assert by_reference(few) == few
    assert by_reference(few.model_copy(update={"target_ids": (*few.target_ids, uuid4())})).target_ids == ()


def test_a_skip_speaks_of_one_scan_or_of_a_tool() -> None:
    step = ScanStep(scan_id=uuid4(), tool="nmap", role="recon", endpoint="", timeout_s=1)
    assert Skip(reason="", tool="nmap").speaks_of(step)
    assert Skip(reason="", scan_id=step.scan_id).speaks_of(step)
    assert not Skip(reason="", scan_id=uuid4(), tool="nmap").speaks_of(step)
    assert not Skip(reason="", tool="nuclei").speaks_of(step)
