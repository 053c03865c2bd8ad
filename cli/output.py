"""Data on standard output, everything else on standard error.

Lists are documents of a schema such as `purple.campaigns/1` with `items`; what is shown alone is a document of
`purple.campaign/1`, and so is each line of JSON lines. Fields are only ever added.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

WIDE = 1_000
"""Columns where nobody looks: a pipe or a file gets whole lines."""
_NARROWEST = 14
"""So far a column is squeezed before another one is left out."""
_GAP = 2


class Format(StrEnum):
    """How data is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    SARIF = "sarif"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    key: str
    title: str = ""
    """By default the key, with blanks."""
    whole: bool = False
    """Never folded: what people copy."""
    optional: bool = False
    """Left out where the terminal is too narrow for it; those at the end go first."""

    @property
    def heading(self) -> str:
        """What stands above it."""
        return self.title or self.key.replace("_", " ")


def note(text: str) -> None:
    """A line for a person. Control characters of tools and servers never reach the terminal."""
    sys.stderr.write(f"{plain(text)}\n")
    sys.stderr.flush()


def plain(text: object) -> str:
    """One line without control characters."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def cell(value: object) -> str:
    """A value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {cell(each)}" for name, each in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(map(cell, value))
    return plain(value)


def width() -> int:
    """How wide a line may be: COLUMNS, else the terminal, else as wide as it takes."""
    said = os.environ.get("COLUMNS", "")
    if said.isdigit() and int(said):
        return int(said)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE


def table(title: str, columns: Sequence[Column], rows: Iterable[Mapping[str, object]]) -> None:
    """A table on standard output."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    room = width()
    texts = [{column.key: cell(row.get(column.key)) for column in columns} for row in rows]
    drawn = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    shown = fitting(columns, texts, room)
    for column in shown:
        drawn.add_column(column.heading, overflow="fold", no_wrap=column.whole)
    for text in texts:
        drawn.add_row(*(escape(text[column.key]) for column in shown))
    Console(file=sys.stdout, width=room, soft_wrap=False, highlight=False).print(drawn)


def fitting(columns: Sequence[Column], texts: Sequence[Mapping[str, str]], room: int) -> list[Column]:
    """The columns for which there is room."""
    shown = list(columns)

    def needed(column: Column) -> int:
        natural = max([len(column.heading), *(len(text[column.key]) for text in texts)])
        return natural if column.whole else min(natural, _NARROWEST)

    while sum(map(needed, shown)) + _GAP * (len(shown) - 1) > room:
        last = next((column for column in reversed(shown) if column.optional), None)
        if last is None:
            break
        shown.remove(last)
    return shown


def details(document: Mapping[str, object]) -> None:
    """One thing on standard output: a field a line."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(box=None, show_header=False, pad_edge=False)
    drawn.add_column(no_wrap=True, style="bold")
    drawn.add_column(overflow="fold")
    for name, value in document.items():
        if name != "schema" and (text := cell(value)):
            drawn.add_row(name.replace("_", " "), escape(text))
    Console(file=sys.stdout, width=width(), soft_wrap=False, highlight=False).print(drawn)


def data(value: Any) -> None:
    """JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=_as_json) + "\n")


def line(value: Any) -> None:
    """JSON on standard output, as one line."""
    sys.stdout.write(json.dumps(value, separators=(",", ":"), default=_as_json) + "\n")


def document(value: Mapping[str, Any], output: Format) -> None:
    """One thing, in any form but SARIF."""
    match output:
        case Format.JSON:
            data(value)
        case Format.JSONL:
            line(value)
        case _:
            details(value)


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
