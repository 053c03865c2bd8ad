"""The container and the settings, for commands: `main` says how a container is opened, so no command knows an adapter.

Both are heavy, and imported when a command runs, never for help or completion.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from purple.domain.errors import InvalidInputError

if TYPE_CHECKING:
    from purple.settings import Settings

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


def settings() -> "Settings":
    """The settings of this process.

    Raises:
        InvalidInputError: one of them is wrong; it is named.
    """
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from purple.settings import load_settings
    from purple.settings.checks import problems

    try:
        return load_settings()
    except (ValidationError, SettingsError):
        first = next(iter(problems()))
        raise InvalidInputError(
            f"the setting {first.name} is wrong: {first.detail}",
            field=first.name,
            remedy=first.remedy or "`purple config check` names every wrong one",
        ) from None


def organisation() -> UUID:
    """Whose data the command line works on."""
    from purple.services.identity import FIRST_ORGANISATION

    return FIRST_ORGANISATION
