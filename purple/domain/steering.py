"""What people ask of a campaign while it runs, and what it waits for them to say."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

MAX_REASON = 500
"""Characters of why somebody asks; the words travel in workflows and stand in events."""


class ApprovalState(StrEnum):
    """What became of a question."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    """Nobody answered in time."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Whether a tool of a campaign may run, where its profile asks for a second person."""

    state: ApprovalState
    until: datetime
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Orders:
    """What was asked of a campaign; those that come later stand over its profile."""

    parallel: int = 0
    """So many tools at once; 0 where the profile's limit stands."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Tool to why none of its scans runs any more."""
    left_out: tuple[UUID, ...] = ()
    """Single scans that people skipped; running again what failed leaves them out."""
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    """By tool."""
    added_by: tuple[UUID, ...] = ()
    """Who added targets: like who started the campaign, none of them may approve what runs there."""

    @property
    def refused(self) -> Mapping[str, str]:
        """Tools of which no scan may run, and why."""
        rejected = {
            tool: f"{tool} rejected by {each.by}"
            for tool, each in self.approvals.items()
            if each.state is ApprovalState.REJECTED
        }
        return {**rejected, **self.skipped}

    def refusal(self, tool: str, scan_id: UUID | None) -> str:
        """Why people do not want a scan, or any of a tool, to run any more; empty where they said nothing of it."""
        return self.refused.get(tool) or ("a person skipped it" if scan_id in self.left_out else "")

    @property
    def asked_anew(self) -> "Orders":
        """Of the next round: who was waited for when the campaign ended has time again."""
        waiting, expired = ApprovalState.WAITING, ApprovalState.EXPIRED
        over = {tool: replace(each, state=expired) for tool, each in self.approvals.items() if each.state is waiting}
        return replace(self, approvals={**self.approvals, **over})
