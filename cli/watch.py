"""Watches a campaign: a live view in a terminal, lines elsewhere. The view is on standard error, data come after it."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cli.follow import farewell, follow
from cli.listing import everything
from cli.output import plain
from purple.domain.campaigns import Campaign, Phase, Scan
from purple.domain.errors import UnavailableError
from purple.domain.pages import Query
from purple.domain.tools import ScanState

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

LOOK_S = 0.5
_FRAME = 9
"""Lines of the view that are no tool runs."""
_FEWEST = 3
_MINUTE, _HOUR = 60, 3600
_STYLES = {
    ScanState.RUNNING: "cyan",
    ScanState.COMPLETE: "green",
    ScanState.PENDING: "dim",
    ScanState.PARTIAL: "yellow",
    ScanState.CANCELLED: "yellow",
    ScanState.SKIPPED: "yellow",
    ScanState.FAILED: "red",
    ScanState.TIMED_OUT: "red",
}


@dataclass(frozen=True, slots=True)
class View:
    """How a campaign is at one moment."""

    campaign: Campaign
    now: datetime
    scans: Sequence[Scan] = ()
    progress: Mapping[str, Any] | None = None
    """Steps done of steps known, while a worker answers."""
    outputs: Mapping[UUID, datetime] = field(default_factory=dict)
    """When the tool of a running scan last wrote something."""
    trouble: str = ""


async def watch_to_end(container: Any, campaign: Campaign) -> Campaign:
    """Show how it goes until it ended; the campaign as it is then. Interrupted, it says what becomes of it."""
    if not sys.stderr.isatty():
        return await follow(container, campaign)
    try:
        return await _live(container, campaign)
    except asyncio.CancelledError:
        farewell(campaign)
        raise


async def _live(container: Any, campaign: Campaign) -> Campaign:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    link = container.campaigns.link(campaign)
    view = View(campaign, container.clock.now())
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            try:
                view = await _look(container, view.campaign)
            except UnavailableError as error:
                view = View(view.campaign, container.clock.now(), view.scans, trouble=f"waiting: {error.detail}")
            live.update(render(view, console.height - _FRAME, link), refresh=True)
            if view.campaign.state.ended and not view.trouble:
                return view.campaign
            await asyncio.sleep(LOOK_S)


async def _look(container: Any, campaign: Campaign) -> View:
    known = await container.campaigns.get(campaign.organisation_id, campaign.id)
    scans = await everything(container.campaigns.scans, campaign.organisation_id, Query({"campaign_id": campaign.id}))
    running = any(scan.state is ScanState.RUNNING for scan in scans)
    return View(
        campaign=known,
        now=container.clock.now(),
        scans=scans,
        progress=await container.campaigns.progress(known),
        outputs=await container.orchestrator.outputs(known.workflow_id) if running else {},
    )


def render(view: View, room: int, link: str = "") -> "RenderableType":
    """The view, with as many tool runs as there is room for."""
    from rich.console import Group
    from rich.text import Text

    campaign = view.campaign
    paused = bool(view.progress and view.progress["paused"])
    head = Text.assemble(
        (plain(campaign.name), "bold"), f"  {campaign.state}", (", paused" if paused else "", "yellow")
    )
    if campaign.started_at is not None:
        head.append(f"  {age(campaign.started_at, campaign.ended_at or view.now)}", "dim")
    shown, left = fitting(view.scans, max(room, _FEWEST))
    parts: list[RenderableType] = [head, Text(steps(view)), _phases(campaign), Text("")]
    if shown:
        parts.append(_runs(view, shown))
    if left:
        parts.append(Text(f"and {left} more: `purple run list --campaign {campaign.id}`", "dim"))
    if view.trouble:
        parts.append(Text(plain(view.trouble), "yellow"))
    parts.append(Text(""))
    if link:
        parts.append(Text(f"Temporal: {link}", "dim", overflow="fold"))
    if not campaign.state.ended:
        parts.append(Text(f"Ctrl-C leaves it running; `purple campaign cancel {campaign.id}` stops it", "dim"))
    return Group(*parts)


def steps(view: View) -> str:
    """Steps done of steps known; no percentage, for nobody knows what recon will find."""
    if view.progress is not None:
        return f"{view.progress['done']} of {view.progress['known']} known steps done"
    if view.campaign.state.ended:
        return f"{sum(scan.state.ended for scan in view.scans)} tool runs ended"
    return "no worker answers just now; see `purple status`"


def _phases(campaign: Campaign) -> "RenderableType":
    from rich.text import Text

    line = Text()
    for phase in Phase:
        line.append(" > " if line else "", "dim")
        line.append(str(phase), "bold cyan" if phase is campaign.phase else "dim")
    return line


def _runs(view: View, scans: Sequence[Scan]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, show_edge=False)
    for name in ("tool", "where", "state", "for", "last output", ""):
        drawn.add_column(name, no_wrap=True, overflow="ellipsis", header_style="dim")
    for scan in scans:
        attempt = f", attempt {scan.attempt}" if scan.attempt > 1 else ""
        drawn.add_row(
            Text(plain(scan.tool)),
            Text(plain(scan.endpoint)),
            Text(f"{scan.state}{attempt}", _STYLES[scan.state]),
            Text(lasting(scan, view.now)),
            Text(quiet(scan, view)),
            Text(plain(scan.reason) or (f"{scan.observations} observations" if scan.state.ended else ""), "dim"),
        )
    return drawn


def lasting(scan: Scan, now: datetime) -> str:
    """How long it has run, or ran."""
    return age(scan.started_at, scan.ended_at or now) if scan.started_at else ""


def quiet(scan: Scan, view: View) -> str:
    """How long ago the tool of a running scan last wrote something."""
    if scan.state is not ScanState.RUNNING:
        return ""
    wrote = view.outputs.get(scan.id)
    return f"{age(wrote, view.now)} ago" if wrote else "none yet"


def age(start: datetime, end: datetime) -> str:
    """A length of time, as exact as people want it."""
    seconds = max(0, int((end - start).total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min {seconds % _MINUTE:02} s"
    return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE:02} min"


def fitting(scans: Sequence[Scan], room: int) -> tuple[list[Scan], int]:
    """Those that most need eyes, and how many are left out: running first, then what went wrong, then the rest."""
    chosen = sorted(scans, key=_urgency)[:room]
    chosen.sort(key=lambda scan: (scan.started_at is None, scan.started_at or scan.created_at, scan.key))
    return chosen, len(scans) - len(chosen)


def _urgency(scan: Scan) -> int:
    if scan.state is ScanState.RUNNING:
        return 0
    if scan.state is ScanState.COMPLETE:
        return 3
    return 1 if scan.state.ended else 2
