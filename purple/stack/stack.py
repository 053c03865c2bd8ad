"""The whole local stack: up, down, and where things are."""

from collections.abc import Callable
from pathlib import Path

from purple.domain.errors import PurpleError
from purple.settings.app import StackSettings
from purple.stack.catalogue import APPLICATION, SERVERS
from purple.stack.launcher import Watcher, bring_down, follow, running, spawn
from purple.stack.state import StackState

UP_S = 900.0
OPTIONAL = frozenset({"elasticsearch", "tools"})
"""What the rest works without while it is still coming: search falls back, a missing tool is a skipped scan."""


def up(
    settings: StackSettings, *, lab: bool = False, wait_all: bool = False, watcher: Watcher | None = None
) -> StackState:
    """Start the stack, or find it running; returns when it can be worked with.

    Args:
        settings: where it lives.
        lab: with the lab of the demo.
        wait_all: wait for the parts that may come later, too.
        watcher: told at each look how far it is.

    Raises:
        PurpleError: a part does not start; the message says which and why.
    """
    names = [*SERVERS, *APPLICATION, *(["lab"] if lab else [])]
    if not settings.elasticsearch:
        names.remove("elasticsearch")
    state = running(settings.home)
    if state and lab and "lab" not in state.parts:
        bring_down(settings.home)
        state = None
    process = None
    if state is None:
        try:
            settings.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PurpleError(
                f"{settings.home} cannot be made: {error.strerror}",
                field="stack.home",
                value=settings.home,
                remedy="set PURPLE_STACK__HOME to a folder of yours",
            ) from error
        process = spawn(settings.home, settings.cache, names)
    wanted = names if wait_all else [name for name in names if name not in OPTIONAL]
    return follow(settings.home, process, wanted, timeout_s=UP_S, watcher=watcher)


def down(home: Path) -> bool:
    """End everything; whether anything ran."""
    return bring_down(home)


def told(say: Callable[[str], None]) -> Watcher:
    """A watcher that says each change of a part once."""
    last: dict[str, tuple[str, str]] = {}

    def watch(state: StackState) -> None:
        for part in state.parts.values():
            now = (str(part.state), part.detail)
            if last.get(part.name) != now and part.state not in {"waiting", "starting"}:
                say(f"{part.title}: {part.state}{f' — {part.detail}' if part.detail else ''}")
            last[part.name] = now

    return watch
