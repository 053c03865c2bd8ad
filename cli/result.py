"""What a campaign found and did not cover, and the exit code that follows from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cli import documents
from cli.listing import everything
from cli.output import Column, Format, data, line, note, table
from cli.report import newest_reports, write_file
from purple.domain.campaigns import Campaign, Scan, exit_code_of
from purple.domain.errors import ExitCode
from purple.domain.pages import Query
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import Vulnerability

RESULT_SCHEMA = "purple.scan/1"
_ROW = ("id", "title", "severity", "risk", "state", "weakness", "cve", "host", "port", "url", "parameter", "tools")
_COLUMNS = (
    Column("severity", whole=True),
    Column("risk", whole=True),
    Column("title", "what"),
    Column("where"),
    Column("parameter", optional=True),
    Column("tools", "seen by", optional=True),
    Column("new", optional=True),
)


@dataclass(frozen=True, slots=True)
class Gate:
    """What a campaign may not have found if it is to pass."""

    severity: Severity | None = None
    new: bool = False
    """Nothing that no earlier campaign saw."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a campaign left behind."""

    campaign: Campaign
    found: list[Vulnerability]
    """Present problems that it saw, worst risk first."""
    new: frozenset[UUID]
    """Of these, those that no earlier campaign saw."""
    scans: list[Scan]

    @property
    def gaps(self) -> list[Scan]:
        """What was not covered, or not wholly."""
        return [each for each in self.scans if each.gap or not each.state.ended]

    def exit_code(self, gate: Gate) -> ExitCode:
        """A failed gate weighs more than a gap: the flaw is certain."""
        worst = max((each.severity for each in self.found), key=lambda each: each.rank, default=None)
        code = exit_code_of(self.campaign.state, worst, gate.severity)
        if gate.new and self.new and code in {ExitCode.PASS, ExitCode.INCOMPLETE}:
            return ExitCode.GATE_FAILED
        return code


async def gather(container: Any, campaign: Campaign) -> Result:
    """Read it."""
    organisation, mine = campaign.organisation_id, Query({"campaign_id": campaign.id})
    seen = await everything(container.findings.vulnerabilities, organisation, mine)
    found = [each for each in seen if each.state.counts]
    async with container.work(organisation) as uow:
        told = {each.subject_id for each in await uow.events.of_campaign(campaign.id, 0) if each.type == _FOUND}
    return Result(
        campaign=campaign,
        found=found,
        new=frozenset(each.id for each in found if each.id in told or _first_seen_by(campaign, each)),
        scans=await everything(container.campaigns.scans, organisation, mine),
    )


_FOUND = "vulnerability.found"


def _first_seen_by(campaign: Campaign, each: Vulnerability) -> bool:
    """Whether no sighting is older than the campaign; this holds also while its events have no position yet."""
    begun = campaign.started_at or campaign.created_at
    return each.first_seen is not None and each.first_seen >= begun


async def show(
    container: Any, campaign: Campaign, output: Format, gate: Gate | Severity | None, folder: Path | None
) -> int:
    """Write what a campaign found and did not cover; the exit code."""
    result = await gather(container, campaign)
    wanted = gate if isinstance(gate, Gate) else Gate(gate)
    paths = await copy_reports(container, campaign, folder) if folder else await locate_reports(container, campaign)
    code = result.exit_code(wanted)
    match output:
        case Format.JSON:
            data(_document(result, code, paths))
        case Format.JSONL:
            line(_document(result, code, paths))
        case Format.SARIF:
            data(as_sarif(result))
        case _:
            _for_people(result, wanted)
            _tell_reports(campaign, paths, copied=folder is not None)
            note(_ending(campaign, code))
    return code


def as_sarif(result: Result) -> dict[str, Any]:
    """The result as SARIF 2.1.0."""
    from cli.sarif import sarif_log

    return sarif_log(
        [documents.vulnerability(each) for each in result.found],
        gaps=[documents.run(each) for each in result.gaps],
        campaign=documents.campaign(result.campaign),
        new=result.new,
    )


def _document(result: Result, code: int, paths: Mapping[str, str]) -> dict[str, Any]:
    campaign = result.campaign
    return {
        "schema": RESULT_SCHEMA,
        "campaign_id": campaign.id,
        "state": campaign.state,
        "reason": campaign.reason,
        "exit_code": int(code),
        "counts": campaign.summary.get("counts", {}),
        "vulnerabilities": [
            {name: getattr(each, name) for name in _ROW} | {"new": each.id in result.new} for each in result.found
        ],
        "not_covered": [
            {"tool": each.tool, "endpoint": each.endpoint, "state": each.state, "reason": each.reason}
            for each in result.gaps
        ],
        "reports": paths,
    }


def _for_people(result: Result, gate: Gate) -> None:
    campaign = result.campaign
    rows = []
    for each in result.found:
        made = documents.vulnerability(each)
        rows.append(made | {"where": documents.where(made), "new": "new" if each.id in result.new else ""})
    table("Vulnerabilities", _COLUMNS, rows)
    note("")
    note(f"found: {_counted(campaign.summary.get('counts', {}))}")
    if gate.new:
        note(f"new: {len(result.new) or 'none'}")
    for gap in result.gaps:
        note(f"not covered: {gap.tool} {gap.endpoint}: {gap.state}: {gap.reason}")
    if not result.gaps:
        note(f"covered: all {len(result.scans)} tool runs are complete")
    for phase, said in campaign.summary.get("notes", {}).items():
        note(f"{phase}: {said}")


def _tell_reports(campaign: Campaign, paths: Mapping[str, str], *, copied: bool) -> None:
    if copied:
        for name, path in paths.items():
            note(f"report {name}: {path}")
    elif paths:
        note(f"reports: {', '.join(paths)}; `purple report save --campaign {campaign.id}` saves them")


def _ending(campaign: Campaign, code: int) -> str:
    why = f": {campaign.reason}" if campaign.reason else ""
    return f"campaign {campaign.state}{why} (exit code {int(code)})"


def _counted(counts: Mapping[str, int]) -> str:
    some: Iterable[str] = (f"{counts[each]} {each}" for each in reversed(Severity) if counts.get(each))
    return ", ".join(some) or "nothing"


async def locate_reports(container: Any, campaign: Campaign) -> dict[str, str]:
    """Where the object store keeps them."""
    newest = await newest_reports(container, campaign.id)
    return {str(each.format): container.reporting.location(each) for each in newest}


async def copy_reports(container: Any, campaign: Campaign, folder: Path) -> dict[str, str]:
    """Copies with names that other programs recognise."""
    paths = {}
    for each in await newest_reports(container, campaign.id):
        path = folder / f"report.{each.format}"
        await write_file(path, await container.reporting.content(each))
        paths[str(each.format)] = str(path)
    return paths
