"""Counts and coverage of a campaign, for its row, its report and its notice."""

from collections.abc import Mapping
from typing import Any

from purple.domain.campaigns import Campaign
from purple.domain.ports import UnitOfWork
from purple.domain.severity import Severity
from purple.domain.tools import ScanState


def worst_first(present: Mapping[str, int]) -> dict[str, int]:
    """How many by severity, the worst first and none left out."""
    return {str(severity): present.get(str(severity), 0) for severity in reversed(Severity)}


def worst_of(counts: dict[str, int]) -> str:
    """The worst severity that occurs, or empty."""
    return next((severity for severity, number in counts.items() if number), "")


async def summarise(uow: UnitOfWork, campaign: Campaign, scans: Mapping[ScanState, int]) -> dict[str, Any]:
    """What the campaign's row keeps; `scans` are how many there are in each state."""
    counts = worst_first(await uow.findings.present(campaign.id))
    coverage = dict(sorted((str(state), number) for state, number in scans.items()))
    return {"counts": counts, "worst": worst_of(counts), "coverage": coverage}
