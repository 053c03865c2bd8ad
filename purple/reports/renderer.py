"""Reports of a campaign. HTML by Jinja2 with escaping on, PDF from it by WeasyPrint in a process of its own."""

import asyncio
import dataclasses
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from purple.domain.errors import PackagesUnavailableError, PurpleError
from purple.domain.reports import ReportData, ReportFormat
from purple.reports.chart import severity_chart
from purple.reports.writer import PdfWriter
from purple.toolkit.packages import DebianPackages

TEMPLATES = Path(__file__).parent / "templates"
PANGO = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core")
LIBRARIES = (
    "libgobject-2.0.so.0",
    "libfontconfig.so.1",
    "libharfbuzz.so.0",
    "libpango-1.0.so.0",
    "libpangoft2-1.0.so.0",
)
SUBSET = "libharfbuzz-subset.so.0"
"""Takes from fonts what a document uses. WeasyPrint can do it itself, which is most of the time of a short report."""
SCHEMA = "purple.report/1"


class Renderer:
    """See `domain.reports.ReportRenderer`."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._jinja = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.filters["moment"] = _moment
        self._prepared = False
        self.pdf = PdfWriter()

    async def render(self, data: ReportData, wanted: ReportFormat) -> bytes:
        """The bytes."""
        match wanted:
            case ReportFormat.JSON:
                return as_json(data)
            case ReportFormat.HTML:
                return (await asyncio.to_thread(self.html, data)).encode()
            case ReportFormat.PDF:
                html = await asyncio.to_thread(self.html, data)
                await self.prepare()
                return await self.pdf.write(html.encode())

    def html(self, data: ReportData) -> str:
        """One page with everything in it: no script, no request to anywhere."""
        template = self._jinja.get_template("campaign/report.html")
        ranks = {advice.vulnerability_id: advice for advice in data.triage.advice}
        order = sorted(data.vulnerabilities, key=lambda each: ranks[each.id].rank if each.id in ranks else 1 << 30)
        present = [each for each in order if each.state.counts]
        return template.render(
            data=data,
            present=present,
            settled=[each for each in order if not each.state.counts],
            advice=ranks,
            chart=severity_chart(data.counts),
            targets={target.id: target for target in data.targets},
        )

    async def prepare(self, *, fetch: bool = False) -> str:
        """Find or fetch what PDF needs; where it is.

        Args:
            fetch: also what only makes it faster; a report does not wait for a network that may be closed.

        Raises:
            PurpleError: it cannot be had; the remedy says what to install.
        """
        if not self._prepared:
            self.pdf.environment = await asyncio.to_thread(self._libraries, fetch=fetch)
            self._prepared = True
        return "Pango of the package cache" if self.pdf.environment else "Pango of this machine"

    def _libraries(self, *, fetch: bool) -> dict[str, str]:
        """Where Pango is: on the machine, or in packages of the cache; on the machine without all of it, if need be."""
        if _present(*LIBRARIES, SUBSET):
            return {}
        packages, enough = DebianPackages(self._cache), _present(*LIBRARIES)
        if enough and not (fetch or packages.has(*PANGO)):
            return {}
        try:
            return packages.ensure(*PANGO).environment()
        except PackagesUnavailableError as error:
            if enough:
                return {}
            raise PurpleError(f"the PDF needs Pango: {error.detail}", remedy=error.remedy) from error


def _present(*libraries: str) -> bool:
    """Whether a process of ours could load these."""
    load = [sys.executable, "-I", "-S", "-c", "import ctypes, sys; [*map(ctypes.CDLL, sys.argv[1:])]", *libraries]
    return subprocess.run(load, capture_output=True, check=False).returncode == 0


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "—"


def as_json(data: ReportData) -> bytes:
    """The report for machines; `schema` names its version."""
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "made_at": data.made_at,
        "campaign": data.campaign,
        "authorisation": data.authorisation,
        "targets": data.targets,
        "counts": data.counts,
        "coverage": data.scans,
        "coverage_counts": data.coverage,
        "triage": data.triage,
        "vulnerabilities_seen": data.seen,
        "vulnerabilities": [
            dataclasses.asdict(each) | {"risk_reasons": each.risk_reasons, "evidence": data.evidence.get(each.id, ())}
            for each in data.vulnerabilities
        ],
        "links": data.links,
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2)
