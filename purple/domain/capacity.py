"""What one worker process can bear: tools run side by side as long as their CPU and memory fit, in turn."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from purple.domain.errors import NoRoomError
from purple.domain.tools import ToolSpec


@dataclass(eq=False)
class _Turn:
    """Somebody who waits for room."""

    spec: ToolSpec
    called: asyncio.Event = field(default_factory=asyncio.Event)
    admitted: bool = False


class Capacity:
    """Room for tools, given in the order in which it was asked for, so that a heavy tool is not starved by light ones.

    All of it happens on one event loop. A tool that needs more than there is in all runs alone.
    """

    def __init__(self, cpus: float, memory_mb: int, tool_limits: Mapping[str, int] | None = None) -> None:
        self.cpus = cpus
        self.memory_mb = memory_mb
        self._limits = dict(tool_limits or {})
        self._cpus = cpus
        self._memory = float(memory_mb)
        self._running: Counter[str] = Counter()
        self._waiting: deque[_Turn] = deque()
        self._closed = False
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def room(self, spec: ToolSpec, patience_s: float) -> AsyncIterator[None]:
        """Hold what a tool needs for as long as the block lasts.

        Raises:
            NoRoomError: there was none in time; another worker may have some.
        """
        await self._take(spec, patience_s)
        try:
            yield
        finally:
            self._give_back(spec)

    async def some_room(self, cpu: float, memory_mb: int) -> None:
        """Return once a small tool would fit and nobody waits for room: the time to ask for more work."""
        while (
            self._closed
            or self._waiting
            or self._cpus < min(cpu, self.cpus)
            or self._memory < min(memory_mb, self.memory_mb)
        ):
            self._changed.clear()
            await self._changed.wait()

    def close(self) -> None:
        """Let nobody in any more; who waits is sent away, who is in stays until the end of its block."""
        self._closed = True
        self._serve()

    async def _take(self, spec: ToolSpec, patience_s: float) -> None:
        turn = _Turn(spec)
        self._waiting.append(turn)
        self._serve()
        try:
            async with asyncio.timeout(patience_s):
                await turn.called.wait()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            if turn.admitted:
                self._give_back(spec)
            raise
        finally:
            if not turn.admitted:
                self._waiting.remove(turn)
                self._serve()
        if not turn.admitted:
            raise NoRoomError(
                f"no room for {spec.name}: {self._why(spec)}",
                field="worker",
                remedy="it is tried again, here or by another worker",
            )

    def _serve(self) -> None:
        """Let in whose turn it is. Who waits for its own tool's limit alone holds nobody up."""
        for turn in tuple(self._waiting):
            if self._closed:
                turn.called.set()
                continue
            if self._at_limit(turn.spec):
                continue
            if not self._fits(turn.spec):
                break
            self._waiting.remove(turn)
            self._cpus -= self._cpu_of(turn.spec)
            self._memory -= self._memory_of(turn.spec)
            self._running[turn.spec.name] += 1
            turn.admitted = True
            turn.called.set()
        self._changed.set()

    def _give_back(self, spec: ToolSpec) -> None:
        self._cpus += self._cpu_of(spec)
        self._memory += self._memory_of(spec)
        self._running[spec.name] -= 1
        self._serve()

    def _fits(self, spec: ToolSpec) -> bool:
        slack = 1e-9  # sums of tenths
        return self._cpu_of(spec) <= self._cpus + slack and self._memory_of(spec) <= self._memory + slack

    def _at_limit(self, spec: ToolSpec) -> bool:
        return spec.name in self._limits and self._running[spec.name] >= self._limits[spec.name]

    def _cpu_of(self, spec: ToolSpec) -> float:
        return min(spec.cpu, self.cpus)

    def _memory_of(self, spec: ToolSpec) -> float:
        return float(min(spec.memory_mb, self.memory_mb))

    def _why(self, spec: ToolSpec) -> str:
        if self._closed:
            return "this worker ends"
        if self._at_limit(spec):
            return f"{self._running[spec.name]} of it run here, the most that PURPLE_WORKER__TOOL_LIMITS allows"
        return (
            f"it needs {spec.cpu:g} CPUs and {spec.memory_mb} MB, and of {self.cpus:g} and {self.memory_mb} "
            f"{max(self._cpus, 0.0):g} and {self._memory:g} are free"
        )
