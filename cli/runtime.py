"""The container, for commands: `main` says how it is opened, so that no command knows an adapter."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")

_open: list[Callable[[], Any]] = []


def set_opener(opener: Callable[[], Any]) -> None:
    """Say how a container is made."""
    _open[:] = [opener]


def with_container(use: Callable[[Any], Awaitable[T]]) -> T:
    """Run something with a container, and close it."""

    async def run_it() -> T:
        container = _open[0]()
        try:
            return await use(container)
        finally:
            await container.close()

    return asyncio.run(run_it())
