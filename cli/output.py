"""Data on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any


class Format(StrEnum):
    """How data is written."""

    TABLE = "table"
    JSON = "json"


def note(text: str) -> None:
    """A line for a person. Control characters of tools and servers never reach the terminal."""
    sys.stderr.write(f"{plain(text)}\n")
    sys.stderr.flush()


def plain(text: object) -> str:
    """One line without control characters."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(title=title, title_justify="left", show_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(escape(plain(cell)) for cell in row))
    Console(file=sys.stdout, soft_wrap=False).print(drawn)


def data(value: Any) -> None:
    """JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")
