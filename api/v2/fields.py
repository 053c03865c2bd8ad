"""Sparse fields: an answer has those of its fields that are asked for."""

from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BaseModel

from purple.domain.errors import InvalidInputError

A = TypeVar("A", bound=BaseModel)
MAX_FIELDS = 2_000


def chosen(model: type[A], *, dear: Collection[str]) -> Callable[..., Awaitable[frozenset[str]]]:
    """A dependency that is the names of the fields to answer with; `id` is always among them.

    Args:
        model: of the answer.
        dear: fields that cost a statement more, which are there only where they are named.
    """
    known = frozenset(model.model_fields)
    usual = known - frozenset(dear)
    told = f"Fields to answer with, with commas between. By default all but {', '.join(sorted(dear))}. Fields: "

    async def names(
        fields: Annotated[str, Query(max_length=MAX_FIELDS, description=told + ", ".join(model.model_fields))] = "",
    ) -> frozenset[str]:
        asked = frozenset(filter(None, (name.strip() for name in fields.split(","))))
        if wrong := sorted(asked - known):
            raise InvalidInputError(
                f"there is no field {wrong[0]!r}",
                field="fields",
                value=wrong[0],
                remedy=f"use {', '.join(model.model_fields)}",
            )
        return asked | {"id"} if asked else usual

    return names


def picked(model: type[A], row: object, names: Collection[str], **more: object) -> A:
    """An answer with these fields of a row; those that are given come from there."""
    told = {name: more[name] if name in more else getattr(row, name) for name in names}
    return model.model_validate(told, from_attributes=True)
