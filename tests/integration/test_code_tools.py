"""The real tools on a repository with planted flaws: each finds what is its to find, whatever the repository says."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from purple.domain.errors import ParseError
from purple.domain.fingerprints import fingerprint
from purple.domain.observations import Observation
from purple.domain.tools import ScanState, ToolJob, ToolRun, ToolTarget
from purple.settings.paths import default_cache
from purple.toolkit.adapter import CODE, HISTORY
from purple.toolkit.repositories import Repositories
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs
from purple.toolkit.tools.runner import GuardedRunner
from purple.toolkit.world import SystemClock
from tests.support.advisories import advisories_at, database
from tests.support.lab import isolations
from tests.support.planted import FILES, KEY, RAN, RUNS, TRUTH, plant
from tests.support.repositories import commit

TOOLS = sorted({each.tool for each in TRUTH})
OPTIONS = {"osv-scanner": {"offline": True}}
Scan = Callable[..., Awaitable[tuple[ToolRun, list[Observation]]]]


@pytest.fixture(scope="module")
def tools() -> Catalogue:
    return Catalogue(Programs(default_cache() / "tools", default_cache()))


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("code") / "app"
    return folder, plant(folder)


@pytest.fixture
def advisories(monkeypatch, tmp_path) -> Iterator[list[tuple[str, str]]]:
    """A server and an archive of advisories in place of the public ones; what the server was asked."""
    with advisories_at("127.25.0.2") as (url, asked):
        monkeypatch.setattr("purple.tools.pip_audit.adapter.OSV", url)
        database(tmp_path / "osv/osv-scanner")
        monkeypatch.setattr("purple.tools.osv_scanner.adapter.DATABASE", tmp_path / "osv")
        yield asked


@pytest.fixture
def scan(tools, guardians, tmp_path, tmp_path_factory) -> Scan:
    """Run a tool on a repository of a folder."""

    async def run(
        tool: str, source: Path, memory_mb: int = 4096, **options: object
    ) -> tuple[ToolRun, list[Observation]]:
        status = await asyncio.to_thread(tools.install, tool, lambda _: None)
        assert status.usable, status.detail
        job = ToolJob(
            tool,
            ToolTarget(str(source), "", kind="repository"),
            tools.validate_options(tool, options),
            120,
            tmp_path_factory.mktemp("work"),
        )
        isolation = isolations(tmp_path / "osv").now
        repositories = Repositories(default_cache(), guardians, folders=[source.parent], isolation=isolation)
        most = {"memory_mb": memory_mb, "output_mb": 64}
        runner = GuardedRunner(tools, SystemClock(), guardians, **most, repositories=repositories, isolation=isolation)
        ended = await runner.run(job, lambda _: None)
        kept = [each for each in job.work.rglob("*") if each.is_file() and HISTORY not in each.parts]
        clear = [each for each in kept if CODE not in each.parts and KEY.encode() in each.read_bytes()]
        assert not clear, "a secret is written nowhere"
        assert not [each for each in kept if each.name == RAN], "nothing of the code is run"
        found: list[Observation] = []
        if ended.output is None:
            return ended, found
        try:
            await asyncio.to_thread(lambda: found.extend(tools.parse(tool, ended.output)))
        except ParseError as error:
            return replace(ended, state=ScanState.PARTIAL, reason=error.detail), found
        return ended, found

    return run


@pytest.mark.parametrize("tool", TOOLS)
async def test_a_tool_finds_what_was_planted(planted, scan, advisories, tool) -> None:
    source, last = planted
    ended, found = await scan(tool, source, **OPTIONS.get(tool, {}))
    assert (ended.state, ended.reason, ended.revision) == (ScanState.COMPLETE, "", last)
    assert ended.version
    wanted = {(each.rule, each.path, each.line) for each in TRUTH if each.tool == tool}
    seen = {(each.rule, each.location.path, each.location.line) for each in found}
    assert wanted <= seen


async def test_semgrep_needs_far_less_than_it_may_take(planted, scan) -> None:
    """Of address space: it took nine tenths for stacks that it never used."""
    ended, found = await scan("semgrep", planted[0], memory_mb=2048)
    assert (ended.state, ended.reason) == (ScanState.COMPLETE, "")
    assert found


async def test_a_flaw_is_the_same_when_its_line_moves_and_another_is_not(planted, scan, tmp_path) -> None:
    moved = tmp_path / "moved"
    commit(moved, {"app/views.py": "# one more line\n\n" + FILES["app/views.py"].replace('"ping "', '"ping6 "')})
    target = UUID(int=9)

    def flaws(found: list[Observation]) -> dict[str, str]:
        of_file = [each for each in found if each.location.path == "app/views.py"]
        return {each.rule: fingerprint(target, each, ["snippet"]) for each in of_file}

    before = flaws((await scan("bandit", planted[0]))[1])
    after = flaws((await scan("bandit", moved))[1])
    assert {rule for rule in before if before[rule] != after[rule]} == {"bandit:B602"}


async def test_a_secret_is_known_again_in_another_commit_and_what_took_it_out_does_not_hide_it(
    planted, scan, tmp_path
) -> None:
    target = UUID(int=9)
    _, found = await scan("gitleaks", planted[0])
    again = tmp_path / "again"
    commit(again, {"config/settings.ini": f"# another line\n[aws]\n\nkey = {KEY}\n"})
    _, later = await scan("gitleaks", again)
    of_key = next(each for each in found if each.location.path == "config/settings.ini")
    assert fingerprint(target, later[0], ["secret"]) == fingerprint(target, of_key, ["secret"])
    assert later[0].location.line != of_key.location.line
    _, recent = await scan("gitleaks", planted[0], history=1)
    assert [each.location.path for each in recent] == ["config/deploy.ini"]
    assert KEY not in repr([*found, *later])


async def test_a_scan_of_secrets_in_which_git_failed_is_not_clean(scan, planted, monkeypatch) -> None:
    """Gitleaks ends with 0 and an empty report where it cannot read the history."""
    monkeypatch.setattr("purple.tools.gitleaks.adapter.HISTORY", "nothing.git")
    ended, found = await scan("gitleaks", planted[0])
    assert found == []
    assert ended.exit_code == 0
    assert ended.state is ScanState.PARTIAL
    assert "did not look everywhere" in ended.reason


async def test_requirements_that_nobody_looked_up_are_no_clean_result(scan, advisories, tmp_path) -> None:
    source = tmp_path / "code"
    commit(source, {"requirements.txt": "idna==3.10\nflask>=2\n-e .\n", "setup.py": RUNS})
    ended, found = await scan("pip-audit", source)
    assert (ended.state, found) == (ScanState.PARTIAL, [])
    assert "2 packages were not assessed: flask, requirements-by-address" in ended.reason
    assert advisories == [("idna", "3.10")]


LOCK = {"lockfileVersion": 2, "packages": {"node_modules/left-pad": {"version": "1.3.0"}}}
UNSEEN = [
    ({"package-lock.json": json.dumps(LOCK)}, ScanState.FAILED, "run it online, or put OSV's archive"),
    ({"package-lock.json": "broken {", **FILES}, ScanState.PARTIAL, "Attempted to scan lockfile but failed"),
    ({"readme": "no lock file"}, ScanState.COMPLETE, ""),
]


@pytest.mark.parametrize(("files", "state", "reason"), UNSEEN)
async def test_lock_files_that_nobody_looked_up_are_no_clean_result(
    scan, advisories, tmp_path, files, state, reason
) -> None:
    source = tmp_path / "code"
    commit(source, files)
    ended, found = await scan("osv-scanner", source, offline=True)
    assert (ended.state, reason in ended.reason) == (state, True), ended.reason
    assert [each.cve for each in found] == ([("CVE-2026-10001",)] if state is ScanState.PARTIAL else [])
