"""What undos mean for their campaign: none is open once it has ended, and one that failed is said in its state."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.events import Event
from purple.domain.ports import UnitOfWork
from purple.domain.undos import Undo, UndoState
from purple.services.events import event

BEFORE = "without_undos"
"""Where a summary keeps how the campaign would have ended if every undo had been done."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Ending:
    """How a campaign ends."""

    state: CampaignState
    reason: str
    summary: dict[str, Any]
    """What the undos add to it."""


def judged(undos: Iterable[Undo], state: CampaignState, reason: str) -> Ending:
    """How a campaign ends that would end so: with an undo that is not done it never counts as completed."""
    all_of_them = tuple(undos)
    counts = Counter(str(each.state) for each in all_of_them)
    left = [each for each in all_of_them if each.state is not UndoState.DONE]
    if not left:
        return Ending(state, reason, {"undos": dict(counts)} if all_of_them else {})
    places = ", ".join(f"{each.tool} {each.endpoint}" for each in left[:_NAMED])
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    alarm = (
        f"{len(left)} change{'s' if len(left) > 1 else ''} could not be undone: {places}{more}"
        " — the undo says what to do by hand"
    )
    worse = CampaignState.COMPLETED_WITH_GAPS if state is CampaignState.COMPLETED else state
    summary = {"undos": dict(counts), BEFORE: {"state": str(state), "reason": reason}}
    return Ending(worse, "; ".join(filter(None, (reason, alarm))), summary)


async def settle(uow: UnitOfWork, campaign: Campaign, state: CampaignState, reason: str, now: datetime) -> Ending:
    """The end of a campaign: an undo that nobody could run by now has failed."""
    for undo in await uow.undos.all(campaign_id=campaign.id, state=UndoState.OPEN):
        await fail(uow, undo, "the campaign ended before it ran", now)
    return judged(await uow.undos.all(campaign_id=campaign.id), state, reason)


async def fail(uow: UnitOfWork, undo: Undo, why: str, now: datetime, **changes: Any) -> Undo:
    """A person must look."""
    failed = await uow.undos.update(undo.id, state=UndoState.FAILED, last_error=why, **changes)
    await uow.events.add(undo_event(failed, "undo.failed", now))
    return failed


async def reopen(uow: UnitOfWork, undo: Undo, now: datetime, why: str, by: str = "") -> Undo:
    """To be run once more, with as many attempts as at first."""
    again = await uow.undos.update(
        undo.id,
        state=UndoState.OPEN,
        round=undo.round + 1,
        attempts=0,
        last_error="",
        done_at=None,
        done_by="",
        done_why="",
    )
    await uow.events.add(undo_event(again, "undo.reopened", now, why=why, by=by))
    return again


async def retell(uow: UnitOfWork, undo: Undo) -> None:
    """A campaign that has ended says what became of its undos since."""
    campaign = await uow.campaigns.get(undo.campaign_id)
    if not campaign.state.ended:
        return
    summary = dict(campaign.summary)
    before = summary.pop(BEFORE, {"state": campaign.state, "reason": campaign.reason})
    undos = await uow.undos.all(campaign_id=campaign.id)
    ending = judged(undos, CampaignState(before["state"]), before["reason"])
    summary.update(ending.summary)
    await uow.campaigns.update(campaign.id, state=ending.state, reason=ending.reason, summary=summary)


def undo_event(undo: Undo, kind: str, now: datetime, **data: str) -> Event:
    """What happened to an undo; once a round."""
    told = {"tool": undo.tool, "endpoint": undo.endpoint, "title": undo.title, "reason": undo.last_error, **data}
    return event(
        undo.organisation_id, kind, undo.id, now, campaign_id=undo.campaign_id, data=told, occasion=str(undo.round)
    )
