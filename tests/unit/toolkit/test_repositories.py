"""Repositories are fetched with Git, from folders and from a server of the test's own; and what a hostile one tries."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from purple.domain.errors import InvalidInputError
from purple.domain.isolation import Isolation
from purple.domain.tools import ToolJob, ToolTarget
from purple.settings.paths import default_cache
from purple.toolkit.repositories import NotFetchedError, Repositories, Room
from tests.support.lab import isolations
from tests.support.repositories import NAME, commit, git, job, server_of

ADDRESS = "127.25.0.1"


@pytest.fixture(scope="module")
def isolation() -> Callable[[], Isolation]:
    """Which hides `/tmp`, where all these repositories are."""
    return isolations().now


@pytest.fixture
def repositories(guardians, isolation) -> Callable[..., Repositories]:
    """Made with the folders whose repositories may be fetched, and with what is changed."""
    made = partial(Repositories, default_cache(), guardians, isolation=isolation)
    return lambda *folders, **changes: made(folders=folders, **changes)


async def test_the_files_and_the_history_of_a_folder_are_fetched(tmp_path, repositories) -> None:
    source = tmp_path / "code/app"
    first = commit(source, {"a.txt": "one"})
    last = commit(source, {"a.txt": "two\r\n", "-b.txt": "dash"})
    work = tmp_path / "work"
    assert (await repositories(tmp_path / "code").fetch(job(str(source), work), 1)).commit == last
    assert (work / "repository/a.txt").read_bytes() == b"two\r\n"
    assert {each.name for each in (work / "repository").iterdir()} == {"a.txt", "-b.txt"}
    assert git(work / "history.git", "rev-list", "--all") == last
    assert {each.name for each in work.iterdir()} == {"repository", "history.git"}
    git(source, "checkout", "--quiet", "-b", "other", first)
    side = commit(source, {"side.txt": "x"})
    git(source, "checkout", "--quiet", "main")
    whole = tmp_path / "whole"
    await repositories(tmp_path / "code").fetch(job(str(source), whole), 0)
    assert set(git(whole / "history.git", "rev-list", "--all").split()) == {first, last, side}


async def test_a_repository_that_another_keeps_to_himself_is_fetched_by_root(tmp_path, repositories) -> None:
    source = tmp_path / "home/app"
    last = commit(source, {"a.txt": "one"})
    if os.geteuid() == 0:
        for each in (source.parent, source, *source.rglob("*")):
            os.chown(each, 54321, 54321)
    source.chmod(0o700)
    assert (await repositories(tmp_path / "home").fetch(job(str(source), tmp_path / "work"), 1)).commit == last


async def test_nothing_outside_the_named_folders_is_read(tmp_path, repositories) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "code"
    commit(outside, {"secret": "x"})
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    linked = inside / "worktree"
    linked.mkdir()
    (linked / ".git").write_text(f"gitdir: {outside}/.git\n")
    for number, (value, why) in enumerate(
        {
            str(outside): "not below a folder",
            f"{inside}/../outside": "not below a folder",
            str(inside / "link"): "not below a folder",
            str(linked): "no repository with a history of its own",
            str(inside / "nothing"): "no repository with a history of its own",
        }.items()
    ):
        with pytest.raises((InvalidInputError, NotFetchedError), match=why):
            await repositories(inside).fetch(job(value, tmp_path / f"work{number}"), 1)
    with pytest.raises(InvalidInputError, match="not below a folder"):
        await repositories().fetch(job(str(outside), tmp_path / "work"), 1)


@pytest.mark.parametrize(
    "value",
    ["ext::sh -c 'touch /tmp/x'", "file:///etc", "git@host:a.git", "ssh://host/a.git", "--upload-pack=x", "a/b.git"],
)
async def test_only_https_and_folders_are_fetched(tmp_path, repositories, value) -> None:
    with pytest.raises(InvalidInputError, match="neither an https URL nor a folder"):
        await repositories(tmp_path, Path.cwd()).fetch(job(value, tmp_path / "work"), 1)
    plain = ToolJob("bandit", ToolTarget("h", "127.25.0.1", 80, "http://h/a.git", "repository"), {}, 9, tmp_path)
    with pytest.raises(InvalidInputError, match="without protection"):
        await repositories().fetch(plain, 1)


async def test_a_link_out_of_the_tree_is_written_as_text(tmp_path, repositories) -> None:
    source = tmp_path / "code"
    source.mkdir()
    (source / "passwd").symlink_to("/etc/passwd")
    (source / "up").symlink_to("..")
    commit(source, {"a": "x"})
    work = tmp_path / "work"
    await repositories(source).fetch(job(str(source), work), 1)
    assert not [each for each in (work / "repository").rglob("*") if each.is_symlink()]
    assert (work / "repository/passwd").read_text() == "/etc/passwd"


async def test_no_filter_hook_submodule_or_setting_of_anybody_runs(tmp_path, repositories, monkeypatch) -> None:
    """Also where the user whose worker it is has defined the filter that a repository asks for."""
    marker, source, other = tmp_path / "marker", tmp_path / "code/app", tmp_path / "code/other"
    commit(other, {"inner": "x"})
    attributes = "* filter=evil ident working-tree-encoding=latin1 text eol=crlf\n"
    commit(source, {".gitattributes": attributes, "a": "é$Id$\r\n".encode("latin1")})
    git(source, "submodule", "--quiet", "add", str(other), "sub")
    commit(source, {})
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    run = f"touch {marker}"
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\n{run}\n")
        (hooks / name).chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[core]\nhooksPath = {hooks}\nfsmonitor = "{run}; false"\n[filter "evil"]\nsmudge = "{run}; cat"\n'
        f'[uploadpack]\npackObjectsHook = "{run}; exec"\n[submodule]\nrecurse = true\n[credential]\nhelper = "!{run}"\n'
    )
    for file in (source / ".git/config", other / ".git/config"):
        file.write_text(file.read_text() + (home / ".gitconfig").read_text())
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    work = tmp_path / "work"
    await repositories(tmp_path / "code").fetch(job(str(source), work), 1)
    assert not marker.exists()
    assert (work / "repository/a").read_text() == "é$Id$\n", "as it was committed"
    assert not (work / "repository/sub").exists() or not list((work / "repository/sub").iterdir())


async def test_what_is_too_large_is_refused_before_it_is_written(tmp_path, repositories) -> None:
    packed, wide, many = (tmp_path / "code" / name for name in ("packed", "wide", "many"))
    commit(packed, {"a": os.urandom(3 * 1024**2)})
    commit(wide, {"a": bytes(3 * 1024**2)})
    commit(many, {str(number): "x" for number in range(20)})
    room = Room(size_mb=2, files=19)
    for source, why in ((packed, "larger than 2 MB, or damaged"), (wide, "files of 3 MB"), (many, "holds 20 files")):
        work = tmp_path / source.name
        with pytest.raises(NotFetchedError, match=why):
            await repositories(tmp_path / "code", room=room).fetch(job(str(source), work), 1)
        assert not (work / "repository").exists()


async def test_a_repository_without_a_commit_is_no_clean_result(tmp_path, repositories) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(NotFetchedError, match="Git could not fetch it"):
        await repositories(tmp_path).fetch(job(str(tmp_path / "empty"), tmp_path / "work"), 1)


def served(port: int, path: str, work: Path, seconds: float = 30) -> ToolJob:
    work.mkdir()
    target = ToolTarget(NAME, ADDRESS, port, f"https://{NAME}:{port}/{path}", "repository")
    return ToolJob("bandit", target, {}, seconds, work)


async def test_a_server_is_asked_at_the_checked_address_and_nowhere_else(tmp_path, repositories) -> None:
    last = commit(tmp_path / "app", {"a.txt": "one"})
    with server_of(tmp_path, ADDRESS) as (server, authorities):
        trusting = repositories(authorities=authorities)
        fetched = await trusting.fetch(served(server.port, "app/.git", tmp_path / "work"), 1)
        assert fetched.commit == last
        assert (tmp_path / "work/repository/a.txt").read_text() == "one"
        server.asked.clear()
        for path, why in (("moved/app/.git", "Git could not fetch"), ("private/app/.git", "could not read Username")):
            with pytest.raises(NotFetchedError, match=why) as failed:
                await trusting.fetch(served(server.port, path, tmp_path / path.replace("/", "-")), 1)
            assert failed.value.ended
        assert {path.split("/")[1] for path in server.asked} == {"moved", "private"}
        with pytest.raises(NotFetchedError, match="certificate"):
            await repositories().fetch(served(server.port, "app/.git", tmp_path / "untrusted"), 1)


async def test_a_server_that_does_not_answer_is_given_up(tmp_path, repositories) -> None:
    import socket

    with socket.create_server((ADDRESS, 0)) as silent, pytest.raises(NotFetchedError, match="longer than 1 s"):
        await repositories().fetch(served(silent.getsockname()[1], "app.git", tmp_path / "work", 1), 1)
