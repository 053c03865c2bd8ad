"""Files of targets: CSV as spreadsheets keep it, or JSON.

The first line of CSV names the columns, in any order; `value` must be among them. An empty cell says nothing; `none`
takes away. Tags, controls, frameworks and custom fields (`name=value`) stand in one cell with commas between. Text that
a spreadsheet would take for a formula is written with an apostrophe before it and read without it, as spreadsheets do;
what has none is kept as it is.

JSON is a list of objects, or an object with the list as `items`. A field that is left out or null says nothing; an
empty text or list takes away.
"""

import contextlib
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from purple.domain.errors import InvalidInputError, TooLargeError

MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 20_000
COLUMNS = (
    "kind", "value", "name", "criticality", "exposure", "data_class", "tags", "unit", "zone", "controls",
    "environment", "category", "frameworks", "custom",
)  # fmt: skip
SEVERAL = frozenset({"tags", "controls", "frameworks", "custom"})
CLEARED = SEVERAL | {"unit", "zone", "category"}
"""What a target may be without."""
NONE = "none"
_DELIMITERS = ",;\t"
_FORMULA = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
"""How a spreadsheet's formula begins, also in full width, or text that was kept from being one."""
_REMEDY = f"use the columns {', '.join(COLUMNS)}"


@dataclass(frozen=True, slots=True)
class Row:
    """What a file says of one target."""

    number: int
    """In CSV the columns' names are row 1; in JSON the first target is."""
    cells: Mapping[str, object]
    """By column, those of which it says nothing left out: a text, a tuple of texts, or what JSON has else."""


def read(data: bytes) -> tuple[Row, ...]:
    """The rows of a file that is CSV or JSON, as its first character tells.

    Raises:
        TooLargeError: too many bytes or rows.
        InvalidInputError: it is neither, is not UTF-8, or has a column that there is not.
    """
    if len(data) > MAX_BYTES:
        raise TooLargeError(f"a file of targets has at most {MAX_BYTES} bytes", remedy="import it in parts")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"the file is not UTF-8 (byte {error.start})", field="file", remedy="save it as UTF-8"
        ) from None
    if "\x00" in text:
        raise InvalidInputError("the file holds NUL characters", field="file", remedy="save it as UTF-8 text")
    rows = _json(text) if text.lstrip()[:1] in {"[", "{"} else _csv(text)
    found: list[Row] = []
    for row in rows:
        found.append(row)
        if len(found) > MAX_ROWS:
            raise TooLargeError(f"a file has at most {MAX_ROWS} targets", remedy="import it in parts")
    return tuple(found)


def _columns(names: Iterable[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            raise InvalidInputError(f"there is no column {name!r}", field="file", value=name, remedy=_REMEDY)


def _csv(text: str) -> Iterator[Row]:
    first = text.partition("\n")[0]
    columns: list[str] = []
    for number, cells in _lines(text, max(_DELIMITERS, key=first.count)):
        if columns:
            if any(cell.strip() for cell in cells):
                yield Row(number, _cells(columns, cells, number))
            continue
        columns = [cell.strip().lower().replace(" ", "_") for cell in cells]
        _columns(columns)
        if "value" not in columns or len(set(columns)) < len(columns):
            raise InvalidInputError(
                "the columns must hold value, and each once", field="file", value=first, remedy=_REMEDY
            )
    if not columns:
        raise InvalidInputError("the file is empty", field="file", remedy=_REMEDY)


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            yield number, cells
    except csv.Error as error:
        raise InvalidInputError(
            f"row {number + 1} cannot be read: {error}", field="file", remedy="close its quotes, or save it anew"
        ) from None


def _cells(columns: list[str], cells: list[str], number: int) -> dict[str, object]:
    if len(cells) > len(columns):
        raise InvalidInputError(
            f"row {number} has {len(cells)} cells for {len(columns)} columns",
            field="file",
            value=cells[len(columns)],
            remedy="put cells with commas in quotes",
        )
    said = ((name, _spoken(cell.strip())) for name, cell in zip(columns, cells, strict=False))
    return {name: _cell(name, cell) for name, cell in said if cell}


def _cell(name: str, text: str) -> object:
    """What a cell says; several texts whose quotes do not close stay one, which nobody takes for several."""
    if name in CLEARED and text.lower() == NONE:
        return () if name in SEVERAL else ""
    if name in SEVERAL:
        with contextlib.suppress(csv.Error):
            return tuple(next(csv.reader([text], skipinitialspace=True, strict=True)))
    return text


def _spoken(text: str) -> str:
    """Text as it is meant: without the apostrophe that keeps it from being a formula."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _kept(text: str) -> str:
    """Text that no spreadsheet takes for a formula; `_spoken` is its inverse."""
    return f"'{text}" if _FORMULA.match(text) else text


def _json(text: str) -> Iterator[Row]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"this is not JSON: {error}", field="file", remedy="save it anew") from None
    items = found.get("items") if isinstance(found, dict) else found
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        raise InvalidInputError(
            "this is no list of targets", field="file", remedy='write [{"value": "192.0.2.7", "tags": ["dmz"]}]'
        )
    for number, item in enumerate(items, 1):
        _columns(item)
        told = {name: tuple(cell) if isinstance(cell, list) else cell for name, cell in item.items()}
        yield Row(number, {name: cell for name, cell in told.items() if cell is not None})


def write(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """CSV of targets, line by line, by the names of the columns; reading it gives the same again."""
    yield _line(COLUMNS)
    for row in rows:
        yield _line([_kept(_several(row[name]) if name in SEVERAL else str(row[name])) for name in COLUMNS])


def _several(values: Iterable[str]) -> str:
    told = [*map(str, values)]
    if [each.lower() for each in told] == [NONE]:
        return f'"{told[0]}"'
    return _line(told).removesuffix("\r\n") if told else ""


def _line(cells: Iterable[str]) -> str:
    made = io.StringIO()
    csv.writer(made).writerow(cells)
    return made.getvalue()
