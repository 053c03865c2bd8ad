"""The one grammar by which every list is filtered and sorted.

    severity:>=high state:open,confirmed -tool:nmap title:~"sql injection" last_seen:<7d
    sort: -risk,title

A filter is terms with blanks between, all of which must hold. A term is `field:values`; `-` before it means *not*. Of
several values with commas between, one must match. `~` before the value asks for text that holds it, whatever its
case; `<`, `<=`, `>` and `>=` compare. A moment is an ISO 8601 date or time, or an age such as `90m`, `24h`, `7d`, `2w`,
so that `last_seen:<7d` is *less than seven days ago*. `none` matches a field that has no value. A value with blanks,
commas or quotes stands in double quotes, inside which a backslash escapes. A sort is fields with commas between; `-`
before one turns its direction.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from purple.domain.errors import InvalidInputError

MAX_TERMS = 20
MAX_VALUES = 200
MAX_SORT = 4
NONE = "none"
TERM = re.compile(
    r'(?P<not>-?)(?P<field>[a-z_]+(?:\.[a-z_]+)*):(?P<operator>~|>=|<=|>|<|)(?P<values>(?:"(?:[^"\\]|\\.)*"|[^\s"])+)(?=\s|\Z)'
)
_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",]+)')
_SORT = re.compile(r"(-?)([a-z_]+)\Z")
_REMEDY = 'write terms such as severity:>=high -state:fixed title:~"sql injection"'


class Operator(StrEnum):
    """How a value is compared."""

    IS = ""
    HOLDS = "~"
    ABOVE = ">"
    FROM = ">="
    BELOW = "<"
    UP_TO = "<="

    @property
    def turned(self) -> "Operator":
        """The same comparison of ages rather than moments."""
        return _TURNED.get(self, self)


_TURNED = {
    Operator.ABOVE: Operator.BELOW,
    Operator.FROM: Operator.UP_TO,
    Operator.BELOW: Operator.ABOVE,
    Operator.UP_TO: Operator.FROM,
}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition, as it was written."""

    field: str
    operator: Operator
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class SortKey:
    """One field of an order."""

    field: str
    descending: bool = False


def quoted(value: str) -> str:
    """A value as a filter writes it, whatever is in it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_filter(text: str) -> tuple[Term, ...]:
    """Read a filter.

    Raises:
        InvalidInputError: it is not written by the grammar, or too long.
    """
    if "\x00" in text:
        raise InvalidInputError("the filter holds a NUL character", field="filter", value=text, remedy=_REMEDY)
    found = []
    position = len(text) - len(text.lstrip())
    while position < len(text):
        match = TERM.match(text, position)
        if match is None:
            raise unreadable(text, position)
        found.append(term_of(match, text))
        position = after(text, match.end())
    return bounded(found)


def after(text: str, position: int) -> int:
    """Where the next term begins, behind blanks."""
    return position + len(text[position:]) - len(text[position:].lstrip())


def unreadable(text: str, position: int) -> InvalidInputError:
    """That a filter is not written by the grammar."""
    return InvalidInputError(
        f"the filter cannot be read from {text[position : position + 40]!r} on",
        field="filter",
        value=text,
        remedy=_REMEDY,
    )


def bounded(terms: Sequence[Term]) -> tuple[Term, ...]:
    """So many terms, and no more.

    Raises:
        InvalidInputError: there are more.
    """
    if len(terms) > MAX_TERMS:
        raise InvalidInputError(
            f"a filter has at most {MAX_TERMS} terms", field="filter", value=len(terms), remedy="use fewer"
        )
    return tuple(terms)


def term_of(match: re.Match[str], text: str) -> Term:
    """The term that `TERM` found in a text.

    Raises:
        InvalidInputError: its values are no list.
    """
    operator = Operator(match["operator"])
    written = match["values"]
    values = tuple(
        re.sub(r"\\(.)", r"\1", each[1]) if each[1] is not None else each[2] for each in _VALUE.finditer(written)
    )
    rest = _VALUE.sub("", written)
    if not values or rest != "," * (len(values) - 1) or len(values) > MAX_VALUES:
        raise InvalidInputError(
            f"{match['field']} has no list of 1 to {MAX_VALUES} values", field="filter", value=text, remedy=_REMEDY
        )
    if operator not in {Operator.IS, Operator.HOLDS} and len(values) > 1:
        raise InvalidInputError(
            f"{match['field']}:{operator} takes one value", field="filter", value=written, remedy=_REMEDY
        )
    return Term(match["field"], operator, values, negated=bool(match["not"]))


def parse_sort(text: str) -> tuple[SortKey, ...]:
    """Read an order.

    Raises:
        InvalidInputError: it is not fields with commas between, or names one twice.
    """
    keys = []
    for part in filter(None, text.split(",")):
        match = _SORT.match(part.strip())
        if match is None:
            raise InvalidInputError(
                f"{part!r} is no field to sort by", field="sort", value=text, remedy="write it as -risk,title"
            )
        keys.append(SortKey(match[2], descending=bool(match[1])))
    if len({key.field for key in keys}) < len(keys) or len(keys) > MAX_SORT:
        raise InvalidInputError(
            f"a sort has at most {MAX_SORT} fields, each once", field="sort", value=text, remedy="leave some out"
        )
    return tuple(keys)
