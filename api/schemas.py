"""What all resources share."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Body(BaseModel):
    """A request: a field that is not known is an error, not a silence."""

    model_config = ConfigDict(extra="forbid")


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
