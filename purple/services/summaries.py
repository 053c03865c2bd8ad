"""Counts and coverage of a campaign, for its row, its report and its notice."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from purple.domain.campaigns import Campaign
from purple.domain.pages import MAX_LIMIT, Query
from purple.domain.ports import UnitOfWork
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.domain.vulnerabilities import Vulnerability


async def sighted(uow: UnitOfWork, campaign: Campaign) -> AsyncIterator[Vulnerability]:
    """Every vulnerability that a campaign saw, worst risk first."""
    cursor = ""
    while True:
        page = await uow.findings.vulnerabilities(Query({"campaign_id": campaign.id}, cursor, MAX_LIMIT))
        for each in page.items:
            yield each
        cursor = page.next_cursor
        if not cursor:
            return


def counts_of(seen: Iterable[Vulnerability]) -> dict[str, int]:
    """Present vulnerabilities by severity, worst first; those that people dismissed or that are fixed do not count."""
    return worst_first(Counter(str(each.severity) for each in seen if each.state.counts))


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
