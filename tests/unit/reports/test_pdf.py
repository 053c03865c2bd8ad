"""What writes PDFs: one process for many, which one bad document does not end, and whose death costs one report."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from purple.domain.errors import PurpleError
from purple.reports import renderer as rendering
from purple.reports import writer as module
from purple.reports.renderer import Renderer
from purple.settings.paths import default_cache
from tests.support.running import wait_until

GOOD = b"<h1>a report</h1>"
OUTSIDE = b'<link rel="stylesheet" href="http://127.0.0.1:1/x.css"><p>kept</p>'


def living(group: int) -> set[int]:
    """Processes of a group."""
    found = set()
    for each in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, of = each.read_text().rsplit(")", 1)[1].split()[:3]
            found |= {int(each.parent.name)} if int(of) == group and state not in "ZX" else set()
    return found


@pytest.fixture
async def renderer():
    made = Renderer(default_cache())
    made.pdf.keeps_ready = True
    yield made
    await made.pdf.close()
    assert made.pdf.ready == []


async def test_one_process_writes_one_after_the_other(renderer, monkeypatch) -> None:
    await renderer.prepare()
    writer, write = renderer.pdf, renderer.pdf.write
    assert (await write(GOOD)).startswith(b"%PDF-")
    (first,) = writer.ready
    assert (await write(GOOD)).startswith(b"%PDF-")
    assert writer.ready == [first]
    both = await asyncio.gather(write(GOOD * 200), write(OUTSIDE))
    assert all(each.startswith(b"%PDF-") for each in both), "two at once, and what is outside is left out"
    one, other = writer.ready
    with pytest.raises(PurpleError, match="could not be written: UnicodeDecodeError"):
        await write(b"\xff")
    assert writer.ready == [one, other], "it cost the fork alone"
    assert living(other.pid) == {other.pid}, "no fork is left"

    other.send_signal(signal.SIGKILL)
    with pytest.raises(PurpleError, match="has ended"):
        await write(GOOD)
    assert (await write(GOOD)).startswith(b"%PDF-"), "the next is written by another"
    assert writer.ready == [one]

    monkeypatch.setattr(module, "PDF_S", 0.3)
    with pytest.raises(PurpleError, match=r"not written in 0\.3 s"):
        await write(b"<table>" + b"<tr><td>x" * 30_000)
    assert writer.ready == []
    wait_until(lambda: not living(one.pid), 5, "it is dead, and so is its fork")


CUTS_FONTS = "from weasyprint.text.ffi import harfbuzz_subset; print(harfbuzz_subset is not None)"


async def test_what_cuts_fonts_is_there(renderer) -> None:
    await renderer.prepare(fetch=True)
    asked = [sys.executable, "-c", CUTS_FONTS]
    environment = os.environ | renderer.pdf.environment
    assert subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout == "True\n"


async def test_a_machine_without_all_of_pango_and_packages_makes_do_or_says_what_to_install(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(rendering, "SUBSET", "libof-nobody.so.0")
    monkeypatch.setattr(rendering, "LIBRARIES", ["libc.so.6"])
    assert await Renderer(tmp_path).prepare(fetch=True) == "Pango of this machine"
    with monkeypatch.context() as patch:
        patch.setattr(rendering.DebianPackages, "ensure", lambda *_: pytest.fail("a report waits for a download"))
        assert await Renderer(tmp_path).prepare() == "Pango of this machine"
    monkeypatch.setattr(rendering, "LIBRARIES", ["libof-nobody.so.0"])
    with pytest.raises(PurpleError, match=r"the PDF needs Pango: .*apt-get") as refused:
        await Renderer(tmp_path).prepare()
    assert "libharfbuzz-subset0" in refused.value.remedy
