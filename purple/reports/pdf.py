"""`python -m purple.reports.pdf`: HTML on standard input, PDF on standard output. It fetches nothing."""

import sys
from typing import Any

from weasyprint import HTML  # type: ignore[import-untyped]  # it has no stubs


def refuse(url: str, *_: Any, **__: Any) -> None:
    """Everything a report shows is inside the document.

    Raises:
        ValueError: the document asks for something outside itself.
    """
    raise ValueError(f"a report fetches nothing, not even {url[:100]}")


if __name__ == "__main__" and (html := sys.stdin.buffer.read()):  # nothing comes where nothing is to be written
    HTML(string=html.decode(), url_fetcher=refuse).write_pdf(sys.stdout.buffer)
