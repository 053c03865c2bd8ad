"""A plugin that runs no program says so, and names the artifact that it reads."""

from pathlib import Path

import pytest

from purple.domain.errors import PackagesUnavailableError, PluginError
from purple.settings.paths import default_cache
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs
from purple.toolkit.tools.plugins import load_plugins

MANIFEST = """
name: imported
title: Imported
purpose: made by a test
target_kinds: [repository]
role: scan
timeout_s: 10
intrusiveness: passive
install: {install}
"""
PARSER = "def parse(stream):\n    yield from ()\n"
ADAPTER = "from purple.toolkit.adapter import ToolOptions\nclass Options(ToolOptions):\n    {field}: str\n"


def made(folder: Path, *, install: str = "none", field: str = "artifact") -> Path:
    tool = folder / f"imported-{field}"
    tool.mkdir()
    (tool / "tool.yaml").write_text(MANIFEST.format(install=install))
    (tool / "parser.py").write_text(PARSER)
    (tool / "adapter.py").write_text(ADAPTER.format(field=field))
    return folder


def test_an_import_needs_no_command_and_is_always_usable(tmp_path: Path) -> None:
    tools = Catalogue(Programs(tmp_path / "programs", tmp_path), (made(tmp_path),))
    spec = tools.spec("imported")
    assert (spec.imports, spec.install) == (True, {})
    assert tools.status("imported").usable
    assert tools.install("imported", lambda _: None).usable
    assert not tools.spec("nmap").imports


def test_an_import_that_names_no_artifact_does_not_load(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="name no artifact"):
        load_plugins([made(tmp_path, field="file")])


def test_a_tool_that_runs_declares_its_exit_codes(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="exit_codes"):
        load_plugins([made(tmp_path, install="{program: x}", field="codes")])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("changes: true", "instructions"),
        ("instructions: by hand", "instructions"),
        ("changes: true\ninstructions: by hand", "has no undo"),
    ],
)
def test_a_tool_that_changes_something_has_an_undo_and_says_what_people_do_by_hand(tmp_path, lines, said) -> None:
    tool = made(tmp_path, install="{program: made}") / "imported-artifact"
    manifest = (tool / "tool.yaml").read_text()
    (tool / "tool.yaml").write_text(f"{manifest}exit_codes: {{0: done}}\n{lines}\n")
    (tool / "adapter.py").write_text(ADAPTER.format(field="artifact") + "\ndef command(job, options): ...\n")
    with pytest.raises(PluginError, match=said):
        load_plugins((tmp_path,))


WANTED = r"(example\.org/made@v1\.0\.0|golang\.org/toolchain@\S+) could not be had"
"""The second where the machine's own Go is too old, for a newer one is fetched first."""
BUILT = "{program: no-such-program-anywhere, go: example.org/made@v1.0.0}\nexit_codes: {0: done}"


def test_a_go_program_that_was_not_built_is_missing_and_one_that_cannot_be_had_says_so(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    folder = made(tmp_path, install=BUILT)
    (folder / "imported-artifact/adapter.py").write_text(ADAPTER.format(field="x") + "command = None\n")
    tools = Catalogue(Programs(tmp_path / "programs", default_cache()), (folder,))
    status = tools.status("imported")
    assert not status.usable
    assert "Imported is not installed — run `purple tool install imported`" in status.detail
    with pytest.raises(PackagesUnavailableError, match=WANTED) as failed:
        tools.install("imported", lambda _: None)
    assert "Go module proxy" in failed.value.remedy
    assert not [each for each in (tmp_path / "programs").rglob("*") if each.is_file()], "nothing half-made stays"


@pytest.mark.parametrize("module", ["--modfile=x@v1", "example.org/made", "example.org/made@latest", "a b@v1"])
def test_a_go_program_is_pinned_and_never_a_flag(tmp_path, module) -> None:
    with pytest.raises(PluginError, match=r"install"):
        load_plugins([made(tmp_path, install=f"{{program: x, go: '{module}'}}\nexit_codes: {{0: done}}")])
