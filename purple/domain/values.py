"""Immutable values that are made by the hundred thousand."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

T = TypeVar("T")

if TYPE_CHECKING:

    @dataclass_transform(frozen_default=True)
    def value(cls: type[T]) -> type[T]:
        """A dataclass with slots that nothing may change."""
        return cls

else:

    def value(cls: type[T]) -> Any:
        """A dataclass with slots that nothing may change: the type checker holds that.

        At run time it is not frozen, for the `__init__` of a frozen dataclass takes four times as long: it sets each
        field through `object.__setattr__` (CPython, `dataclasses._field_assign`).
        """
        return dataclass(slots=True, unsafe_hash=True)(cls)
