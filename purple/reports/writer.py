"""PDFs from HTML, by the process of `purple.reports.pdf`: it stays for the next one, or ends with each."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping

from purple.domain.errors import PurpleError

PDF_S = 300.0
LENGTH = 8
"""Bytes of a length; see `purple.reports.pdf`, which imports WeasyPrint, so that nobody else does."""


class PdfWriter:
    """Of one process of ours. Several may be written at once, each by a process of its own."""

    def __init__(self) -> None:
        self.environment: Mapping[str, str] = {}
        """Where its libraries are."""
        self.keeps_ready = False
        """Whether a process stays for the next one: WeasyPrint takes a second to be imported."""
        self.ready: list[asyncio.subprocess.Process] = []
        """Those that stay: as many as there were to be written at once."""

    async def write(self, html: bytes) -> bytes:
        """A PDF from UTF-8.

        Raises:
            PurpleError: it cannot be written, or not in time.
        """
        process = self._idle() or await _started(self.environment)
        whole = False
        try:
            async with asyncio.timeout(PDF_S):
                failed, body = await _ask(process, html)
            whole = True
        except TimeoutError as error:
            raise PurpleError(f"the PDF was not written in {PDF_S:g} s") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise PurpleError("the PDF could not be written: what writes it has ended") from error
        finally:
            if whole and self.keeps_ready:
                self.ready.append(process)
            else:
                await _end(process)
        if failed:
            raise PurpleError(f"the PDF could not be written: {body.decode(errors='replace')}"[:300])
        return body

    def _idle(self) -> asyncio.subprocess.Process | None:
        while self.ready:
            if (process := self.ready.pop()).returncode is None:
                return process
        return None

    async def close(self) -> None:
        """End the processes that stay."""
        self.keeps_ready = False
        while self.ready:
            await _end(self.ready.pop())


async def _started(environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """It ends with us, for its standard input closes then."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "purple.reports.pdf",
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _ask(process: asyncio.subprocess.Process, html: bytes) -> tuple[bool, bytes]:
    """Whether it failed, and the PDF or what was wrong."""
    assert process.stdin, "it is piped"  # noqa: S101
    assert process.stdout, "it is piped"  # noqa: S101
    process.stdin.write(len(html).to_bytes(LENGTH) + html)
    await process.stdin.drain()
    head = await process.stdout.readexactly(1 + LENGTH)
    return bool(head[0]), await process.stdout.readexactly(int.from_bytes(head[1:]))


async def _end(process: asyncio.subprocess.Process) -> None:
    """It, and the fork that writes for it just now."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
