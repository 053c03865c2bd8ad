"""What people write about targets, besides their values: tags, categories, frameworks, zones, fields of their own."""

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping

from purple.domain.errors import InvalidInputError
from purple.domain.filters import NONE

_ZONE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_FIELD = re.compile(r"[a-z][a-z0-9_-]{0,49}\Z")
MAX_FIELD = 200
"""Characters of what a custom field holds."""
MAX_CATEGORY = 50
MAX_TAGS = 50
_MAX_SHOWN = 200


def checked_zone(zone: str, field: str = "zone") -> str:
    """A zone's name, or empty; it becomes part of a queue's name.

    Raises:
        InvalidInputError: it is no such name.
    """
    if zone and not _ZONE.fullmatch(zone):
        raise InvalidInputError(
            f"{zone!r} is no zone", field=field, value=zone, remedy="use up to 32 small letters, digits and hyphens"
        )
    return zone


def labels(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags without blanks around them, each once, in order.

    Raises:
        InvalidInputError: too many.
    """
    known = tuple(sorted({tag.strip() for tag in tags if tag.strip()}))
    if len(known) > MAX_TAGS:
        raise InvalidInputError(
            f"a target has at most {MAX_TAGS} tags", field="tags", value=len(known), remedy="use fewer"
        )
    return known


def checked_category(text: str) -> str:
    """A category with single blanks, or empty.

    Raises:
        InvalidInputError: it is too long, or would be read as something else in a list.
    """
    category = " ".join(text.split())
    if len(category) > MAX_CATEGORY or not category.isprintable() or category.lower() == NONE:
        raise InvalidInputError(
            f"{category[:MAX_CATEGORY]!r} is no category",
            field="category",
            value=text,
            remedy=f"use up to {MAX_CATEGORY} characters, and not the word none",
        )
    return category


def known_frameworks(names: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Names of frameworks, each once, in order.

    Raises:
        InvalidInputError: there is none of a name.
    """
    found = tuple(sorted({name.strip().lower() for name in names if name.strip()}))
    for name in found:
        if name not in known:
            raise InvalidInputError(
                f"there is no framework {name[:_MAX_SHOWN]!r}",
                field="frameworks",
                value=name,
                remedy=f"use {', '.join(sorted(known))}",
            )
    return found


def custom_fields(pairs: Iterable[str]) -> tuple[str, ...]:
    """Custom fields, each written `name=value`, in the order of their names.

    Raises:
        InvalidInputError: one is not written so, there twice, too long, or there are too many.
    """
    found: dict[str, str] = {}
    for pair in filter(None, map(str.strip, pairs)):
        name, _, value = (part.strip() for part in pair.partition("="))
        if not _FIELD.match(name) or not 1 <= len(value) <= MAX_FIELD or not value.isprintable() or name in found:
            raise InvalidInputError(
                f"{pair[:MAX_FIELD]!r} is no custom field",
                field="custom",
                value=pair,
                remedy=f"write name=value: a name of small letters, digits, _ and -, once, and 1 to {MAX_FIELD}"
                " characters",
            )
        found[name] = value
    if len(found) > MAX_TAGS:
        raise InvalidInputError(
            f"a target has at most {MAX_TAGS} custom fields", field="custom", value=len(found), remedy="use fewer"
        )
    return tuple(f"{name}={found[name]}" for name in sorted(found))


def custom_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """Custom fields as they are kept, by name."""
    return dict(pair.split("=", 1) for pair in pairs)


def custom_pairs(fields: Mapping[str, object]) -> list[str]:
    """Custom fields by name, as `custom_fields` reads them; a name that holds `=` is none to it.

    Numbers and truth values become what JSON writes; a field that is null is none.

    Raises:
        InvalidInputError: one holds something else, such as a list.
    """
    return [f"{name.replace('=', ' ')}={_told(name, held)}" for name, held in fields.items() if held is not None]


def _told(name: str, held: object) -> str:
    if isinstance(held, str):
        return held
    if isinstance(held, int) or (isinstance(held, float) and math.isfinite(held)):
        return json.dumps(held)
    raise InvalidInputError(
        f"the custom field {name[:MAX_FIELD]!r} holds no text, number or truth value",
        field="custom",
        value=held,
        remedy=f"write it as a text of 1 to {MAX_FIELD} characters, or leave it out",
    )
