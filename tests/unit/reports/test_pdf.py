"""What writes PDFs: one process for many, which one bad document does not end, and whose death costs one report."""

import asyncio
import contextlib
import signal
from pathlib import Path

import pytest

from purple.domain.errors import PurpleError
from purple.reports import writer as module
from purple.reports.renderer import Renderer
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
async def renderer(tmp_path):
    made = Renderer(tmp_path)
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
