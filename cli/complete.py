"""What the shell completes. Nothing here needs a running stack, and nothing may fail: a shell wants no errors."""

from collections.abc import Callable, Iterable

from cli import runtime
from purple.domain.errors import PurpleError
from purple.domain.severity import Severity


def _starting(incomplete: str, names: Callable[[], Iterable[str]]) -> list[str]:
    try:
        return sorted(name for name in names() if name.startswith(incomplete))
    except (PurpleError, OSError):
        return []


def profiles(incomplete: str) -> list[str]:
    """Names of profiles, those of the deployment's own folders too."""

    def names() -> Iterable[str]:
        from purple.services.profiles import Profiles

        return Profiles(runtime.settings().profiles.extra).names()

    return _starting(incomplete, names)


def tools(incomplete: str) -> list[str]:
    """Names of tools, those of the deployment's own folders too."""

    def names() -> Iterable[str]:
        from purple.toolkit.tools.plugins import plugin_names

        return plugin_names(runtime.settings().tools.extra)

    return _starting(incomplete, names)


def severities(incomplete: str) -> list[str]:
    """From the least on."""
    return [each for each in Severity if each.startswith(incomplete)]
