"""Every step is taken by the workers of some role: a workflow that asks for one that is not waits for ever."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Self, cast

import activities
from purple.bootstrap import Container
from workers.runner import ROLES


class Parts:
    """In place of a container: to name its steps, a worker needs none of its parts."""

    def __getattr__(self, name: str) -> Self:
        return self


def name_of(step: Any) -> str:
    definition = getattr(step, "__temporal_activity_definition", None)
    return str(definition.name) if definition else ""


def written() -> Iterator[str]:
    """The names of all steps that there are."""
    for module in pkgutil.iter_modules(activities.__path__):
        for made in vars(importlib.import_module(f"activities.{module.name}")).values():
            if isinstance(made, type):
                yield from filter(None, map(name_of, vars(made).values()))


def test_every_step_has_its_workers() -> None:
    container = cast("Container", Parts())
    served = {name_of(step) for _, steps, _ in ROLES.values() for step in steps(container)}
    assert served == set(written())
