"""What all resources share."""

import re
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator

T = TypeVar("T")
_BAD = re.compile("[\x00\ud800-\udfff]")


class Body(BaseModel):
    """A request: a field that is not known is an error, not a silence, and so is text that no database keeps."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def keepable(cls, given: Any) -> Any:
        """Refuse NUL characters and halves of surrogate pairs, however deep.

        Raises:
            ValueError: there is one.
        """
        if any(_BAD.search(text) for text in _texts(given)):
            raise ValueError("text holds a NUL character or half of a surrogate pair")
        return given


def _texts(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, dict):
        for name, value in given.items():
            yield from _texts(name)
            yield from _texts(value)
    elif isinstance(given, list):
        for value in given:
            yield from _texts(value)


class Answer(BaseModel):
    """A response, read from a domain entity."""

    model_config = ConfigDict(from_attributes=True)


class PageAnswer(BaseModel, Generic[T]):
    """One page; `next_cursor` is empty at the end."""

    items: list[T]
    next_cursor: str


class Problem(BaseModel):
    """RFC 9457 problem details with `field`, `value`, `remedy` and `rule` as extension members."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str = ""
    value: str = ""
    remedy: str = ""
    rule: str = ""
