"""A lab of a test's own, and a tool's run against one of its services."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from purple.domain.errors import ParseError
from purple.domain.observations import Observation
from purple.domain.tools import ToolJob, ToolRun, ToolTarget
from purple.settings.paths import default_cache
from purple.toolkit.isolation import Isolations, View
from purple.toolkit.process import Guardians
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs
from purple.toolkit.tools.runner import GuardedRunner
from purple.toolkit.world import SystemClock
from tests.support.running import ROOT, wait_until


@contextmanager
def lab(folder: Path, *arguments: str) -> Iterator[dict[str, str]]:
    """A lab of one's own; its state. It ends with its standard input."""
    state = folder / "lab.json"
    argv = [sys.executable, "-m", "lab", "--state", str(state), "--lifeline", *arguments]
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        wait_until(lambda: state.exists() or process.poll() is not None, 240, "the lab is up")
        assert process.poll() is None, (folder / "lab.log").read_text()
        yield json.loads(state.read_text())
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(30)


def installed(*tools: str) -> Catalogue:
    """The catalogue, with the programs of these tools got where they are not here yet."""
    made = Catalogue(Programs(default_cache() / "tools", default_cache()))
    for tool in tools:
        status = made.install(tool, lambda _: None)
        assert status.usable, status.detail
    return made


def isolations(*shown: Path) -> Isolations:
    """What isolates tools wherever that works; they see these folders, though they be temporary."""
    made = Isolations("auto", default_cache() / "tools", default_cache(), View(shown=(ROOT, default_cache(), *shown)))
    made.install(lambda _: None)
    return made


async def run_tool(
    tools: Catalogue, tool: str, target: ToolTarget, options: Mapping[str, Any], work: Path, timeout_s: float = 120
) -> ToolRun:
    """One run in a new folder."""
    work.mkdir()
    job = ToolJob(tool, target, tools.validate_options(tool, options), timeout_s, work)
    guardians = Guardians()
    try:
        most = {"memory_mb": 4096, "output_mb": 64}
        runner = GuardedRunner(tools, SystemClock(), guardians, **most, isolation=isolations().now)
        return await runner.run(job, lambda _: None)
    finally:
        await guardians.close()


async def parsed(tools: Catalogue, tool: str, run: ToolRun) -> tuple[list[Observation], ParseError | None]:
    """What its output holds, and the error with which it ends."""
    assert run.output, run.reason

    def read() -> tuple[list[Observation], ParseError | None]:
        found: list[Observation] = []
        try:
            assert run.output
            found.extend(tools.parse(tool, run.output))
        except ParseError as error:
            return found, error
        return found, None

    return await asyncio.to_thread(read)
