"""`python -m purple.reports.pdf`: writes PDFs until its standard input closes. It fetches nothing.

WeasyPrint takes a second to be imported, so that is done once; each document is then written by a fork of this process,
which gives all memory back when it ends, and whose end by whatever cause is the answer's failure alone.

A request is the length of HTML in eight bytes, big-endian, and the HTML. An answer is one byte, 0 where all went well,
then in the same way the PDF, or what was wrong in one line.
"""

import os
import sys
from typing import Any, BinaryIO, Never

from weasyprint import HTML  # type: ignore[import-untyped]  # it has no stubs
from weasyprint.urls import URLFetcher  # type: ignore[import-untyped]  # the same

from purple.observability.runtime import stand_back

LENGTH = 8


class Nowhere(URLFetcher):  # type: ignore[misc]  # it has no stubs
    """Everything a report shows is inside the document."""

    def fetch(self, url: str, headers: Any = None) -> Never:  # noqa: ARG002 - WeasyPrint's words
        """What is outside is left out.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"a report fetches nothing, not even {url[:100]}")


def written(html: str) -> bytes:
    """A PDF."""
    body: bytes = HTML(string=html, url_fetcher=Nowhere()).write_pdf()
    return body


def forked(html: bytes) -> tuple[bool, bytes]:
    """Whether it went well, and the PDF or what was wrong."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        failed = True
        try:
            body = written(html.decode())
            failed = False
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            body = f"{type(error).__name__}: {error}".encode()
        with os.fdopen(writing, "wb") as out:
            out.write(body)
        os._exit(failed)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        body = answer.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return not code, body if code >= 0 else f"it was ended by signal {-code}".encode()


def serve(asked: BinaryIO, told: BinaryIO) -> None:
    """Answer until nobody asks."""
    while header := asked.read(LENGTH):
        well, body = forked(asked.read(int.from_bytes(header)))
        told.write(bytes([not well]) + len(body).to_bytes(LENGTH) + body)
        told.flush()


if __name__ == "__main__":
    stand_back(0)  # as far as the worker does, in a session of its own
    written("<p>.")  # what fonts there are is looked up once, too
    serve(sys.stdin.buffer, sys.stdout.buffer)
