"""Watches a campaign."""

from typing import Any

from cli.follow import follow
from purple.domain.campaigns import Campaign


async def watch_to_end(container: Any, campaign: Campaign) -> Campaign:
    """Show how it goes until it ended; the campaign as it is then."""
    return await follow(container, campaign)
