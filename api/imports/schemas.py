"""Imports on the wire."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from api.schemas import Answer
from purple.domain.errors import InvalidInputError
from purple.services.importing import Wanted

TEXT = r"^[^\x00]*$"
"""What PostgreSQL keeps as text."""


class FormatAnswer(Answer):
    """A format that is taken in."""

    name: str
    title: str
    tool: str
    told_by: list[str]


async def wanted(
    authorisation_id: Annotated[
        UUID | None, Query(description="By default the one that covers the target, or the only one that holds now")
    ] = None,
    target: Annotated[
        str,
        Query(max_length=2048, description="What the file is about; by default the register is searched for its hosts"),
    ] = "",
    name: Annotated[str, Query(max_length=200, pattern=TEXT, description="Of the campaign")] = "",
    series: Annotated[
        str,
        Query(
            max_length=200,
            pattern=TEXT,
            description="What this file continues: what a complete later file of it no longer holds is fixed",
        ),
    ] = "",
    create_targets: Annotated[
        bool, Query(description="Register hosts that are not in the register, where the authorisation covers them")
    ] = False,
    options: Annotated[str, Query(max_length=20_000, description="Options of the format, as a JSON object")] = "",
) -> Wanted:
    """The query of an import.

    Raises:
        InvalidInputError: the options are no JSON object.
    """
    return Wanted(
        target=target,
        authorisation_id=authorisation_id,
        name=name,
        series=series,
        create_targets=create_targets,
        options=options_of(options),
    )


def options_of(text: str) -> dict[str, Any]:
    """Options of a format, as they are written.

    Raises:
        InvalidInputError: they are no JSON object.
    """
    try:
        found = json.loads(text or "{}")
        json.dumps(found, ensure_ascii=False).encode()  # no half of a surrogate pair, which PostgreSQL refuses
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or "\\u0000" in text:
        raise InvalidInputError(
            "the options are no JSON object", field="options", value=text, remedy='write {"columns": {"title": "Name"}}'
        )
    return found
