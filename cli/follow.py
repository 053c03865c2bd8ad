"""Follows a campaign to its end: each step once, and how long it has been quiet."""

import asyncio
import time
from typing import Any

from cli.output import note
from purple.domain.campaigns import Campaign
from purple.domain.errors import UnavailableError

LOOK_S = 0.5
QUIET_S = 30.0
"""After so long without news a line says what is still running."""


async def follow(container: Any, campaign: Campaign) -> Campaign:
    """Print what happens until it ended; the campaign as it is then. Interrupted, it says what becomes of it."""
    try:
        return await _follow(container, campaign)
    except asyncio.CancelledError:
        farewell(campaign)
        raise


def farewell(campaign: Campaign) -> None:
    """Say that a campaign goes on without us, and how to stop it."""
    note(f"campaign {campaign.name} goes on")
    note(f"  `purple campaign watch {campaign.id}` follows it again")
    note(f"  `purple campaign cancel {campaign.id}` stops it")


async def _follow(container: Any, campaign: Campaign) -> Campaign:
    note(f"campaign {campaign.name} ({campaign.id})")
    if link := container.campaigns.link(campaign):
        note(f"Temporal: {link}")
    organisation = campaign.organisation_id
    position, spoke, pending_said = 0, time.monotonic(), False
    while True:
        try:
            campaign = await container.campaigns.get(organisation, campaign.id)
            async with container.work(organisation) as uow:
                events = await uow.events.of_campaign(campaign.id, position)
        except UnavailableError as error:
            note(f"waiting: {error.detail}")
            await asyncio.sleep(2)
            continue
        for event in events:
            position = event.position
            if line := told(event.type, event.data):
                note(line)
                spoke = time.monotonic()
        if campaign.state.ended and not events:
            return campaign
        if time.monotonic() - spoke > QUIET_S:
            spoke = time.monotonic()
            progress = await container.campaigns.progress(campaign)
            if progress:
                running = ", ".join(progress["running"]) or progress["phase"]
                note(f"  {progress['done']} of {progress['known']} known steps done; running: {running}")
            elif not pending_said:
                pending_said = True
                note("  no worker has answered yet; see `purple status`")
        await asyncio.sleep(LOOK_S)


def told(kind: str, data: dict[str, Any]) -> str:
    """An event as a line; empty for those that a person need not see."""
    forms = {
        "campaign.phase": "phase {phase}",
        "scan.started": "  {tool} {endpoint} started, attempt {attempt}",
        "scan.ended": "  {tool} {endpoint} {state}{why}",
        "target.unreachable": "  {host} stopped answering on port {port}: its tools wait",
        "target.back": "  {host} answers again",
        "target.given_up": "  {host} did not come back: its tools are given up",
        "triage.ended": "  triage {state}{why}",
        "report.written": "  report {format} written",
        "notice.sent": "  notice {state}{why}",
    }
    why = f": {data['reason']}" if data.get("reason") else ""
    return forms.get(kind, "").format(**data, why=why).removesuffix(", attempt 1")
