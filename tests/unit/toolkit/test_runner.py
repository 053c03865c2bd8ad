"""The runner's word before a tool starts: its files are there, and no target looks like a flag."""

from datetime import timedelta
from pathlib import Path

import pytest

from purple.domain.tools import ScanState, ToolJob, ToolRun, ToolTarget
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs
from purple.toolkit.tools.runner import GuardedRunner
from purple.toolkit.world import SystemClock
from tests.support.lab import run_tool

MANIFEST = """
name: cat
title: Cat
purpose: made by a test
target_kinds: [host]
role: scan
timeout_s: 10
intrusiveness: passive
exit_codes: {0: done}
install:
  program: cat
  version: {arguments: [], pattern: 'never there'}
"""
ADAPTER = """
from purple.toolkit.adapter import Command, ToolOptions

class Options(ToolOptions):
    word: str = "one"

def command(job, options):
    return Command(("--", "words.txt"), "stdout", files={"words.txt": f"{job.target.address} {options.word}"})
"""


def catalogue(folder: Path, manifest: str = MANIFEST, adapter: str = ADAPTER) -> Catalogue:
    """Ours, and one made tool."""
    tool = folder / "tools" / "cat"
    tool.mkdir(parents=True)
    (tool / "tool.yaml").write_text(manifest)
    (tool / "adapter.py").write_text(adapter)
    (tool / "parser.py").write_text("def parse(stream):\n    yield from ()\n")
    return Catalogue(Programs(folder / "programs", folder), (tool.parent,))


async def run(folder: Path, address: str, **options: str) -> ToolRun:
    return await run_tool(catalogue(folder), "cat", ToolTarget("a.example", address), options, folder / "work")


async def test_a_commands_files_are_there_when_the_tool_starts(tmp_path: Path) -> None:
    ended = await run(tmp_path, "192.0.2.7", word="$(two)\nthree")
    assert (ended.state, ended.reason, ended.version) == (ScanState.COMPLETE, "", "")
    assert ended.output
    assert ended.output.read_text() == "192.0.2.7 $(two)\nthree"


async def test_a_wrapper_is_asked_again_when_what_it_starts_is_upgraded(tmp_path: Path, monkeypatch, guardians) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (wrapper := programs / "wrapper").write_text(f"#!/bin/sh\nexec cat {programs}/package\n")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    manifest = MANIFEST.replace("program: cat", "program: wrapper")
    tools = catalogue(tmp_path, manifest.replace("[], pattern: 'never there'", r"[-V], pattern: 'v(\d+)'"))
    runner = GuardedRunner(tools, SystemClock(), guardians, memory_mb=1024, output_mb=1)
    runs = []
    for version in ("v1", "v2"):
        (programs / "package").write_text(version)
        (work := tmp_path / version).mkdir()
        job = ToolJob("cat", ToolTarget("a.example", "192.0.2.7"), tools.validate_options("cat", {}), 10, work)
        runs.append(await runner.run(job, lambda _: None))
    assert [each.version for each in runs] == ["1", "2"]
    assert runs[0].executable_sha256 == runs[1].executable_sha256


@pytest.mark.parametrize(("left_s", "cut_short"), [(-1, True), (1, True), (9, False)])
async def test_nothing_runs_longer_than_its_job_says(tmp_path: Path, guardians, left_s, cut_short) -> None:
    sleeps = (
        ADAPTER[: ADAPTER.index("    return")] + '    return Command(("-c", "echo started; exec sleep 60"), "stdout")'
    )
    tools = catalogue(tmp_path, MANIFEST.replace("program: cat", "program: sh"), sleeps)
    runner = GuardedRunner(tools, clock := SystemClock(), guardians, memory_mb=1024, output_mb=1)
    (work := tmp_path / "work").mkdir()
    until = clock.now() + timedelta(seconds=left_s)
    target, options = ToolTarget("a.example", "192.0.2.7"), tools.validate_options("cat", {})
    ended = await runner.run(ToolJob("cat", target, options, 2, work, until=until), lambda _: None)
    assert (ended.state, ended.cut_short) == (ScanState.TIMED_OUT, cut_short)
    assert bool(ended.output) == (left_s > 0), "with no time left it is not even started"


@pytest.mark.parametrize("address", ["--help", "192.0.2.7\n--help", "\x00"])
async def test_a_target_that_looks_like_a_flag_starts_nothing(tmp_path: Path, address: str) -> None:
    ended = await run(tmp_path, address)
    assert (ended.state, ended.output, ended.command) == (ScanState.FAILED, None, ())
    assert "begins like a flag or holds control characters" in ended.reason
    assert not (tmp_path / "work/words.txt").exists()
