"""`python -m purple.reports.pdf`: HTML on standard input, PDF on standard output. It fetches nothing."""

import sys
from typing import Any

from weasyprint import HTML, default_url_fetcher  # type: ignore[import-untyped]  # it has no stubs


def refuse(url: str, *_: Any, **__: Any) -> Any:
    """Data is inside the document; anything else stays out.

    Raises:
        ValueError: the document asks for something outside itself.
    """
    if url.startswith("data:"):
        return default_url_fetcher(url)
    raise ValueError("a report fetches nothing")


if __name__ == "__main__":
    HTML(string=sys.stdin.buffer.read().decode(), url_fetcher=refuse).write_pdf(sys.stdout.buffer)
