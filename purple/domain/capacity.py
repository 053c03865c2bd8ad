"""What one worker process can bear: tools run side by side as long as their CPU and memory fit, in turn."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from purple.domain.errors import NoRoomError
from purple.domain.tools import ToolSpec


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
        self._waiting: deque[tuple[ToolSpec, asyncio.Event]] = deque()
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
        while self._waiting or self._cpus < min(cpu, self.cpus) or self._memory < min(memory_mb, self.memory_mb):
            self._changed.clear()
            await self._changed.wait()

    async def _take(self, spec: ToolSpec, patience_s: float) -> None:
        turn = asyncio.Event()
        mine = (spec, turn)
        self._waiting.append(mine)
        self._serve()
        try:
            async with asyncio.timeout(patience_s):
                await turn.wait()
        except TimeoutError:
            if turn.is_set():  # in the last moment
                return
            raise NoRoomError(
                f"no room for {spec.name} within {patience_s:g} s: {self._why(spec)}",
                field="worker",
                remedy="it is tried again, here or by another worker",
            ) from None
        except asyncio.CancelledError:
            if turn.is_set():
                self._give_back(spec)
            raise
        finally:
            if not turn.is_set():
                self._waiting.remove(mine)
                self._serve()

    def _serve(self) -> None:
        """Let in whose turn it is. Who waits for its own tool's limit alone holds nobody up."""
        for mine in tuple(self._waiting):
            spec, turn = mine
            if self._at_limit(spec):
                continue
            if not self._fits(spec):
                break
            self._waiting.remove(mine)
            self._cpus -= self._cpu_of(spec)
            self._memory -= self._memory_of(spec)
            self._running[spec.name] += 1
            turn.set()
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
        if self._at_limit(spec):
            return f"{self._running[spec.name]} of it run here, the most that PURPLE_WORKER__TOOL_LIMITS allows"
        return (
            f"it needs {spec.cpu:g} CPUs and {spec.memory_mb} MB, and of {self.cpus:g} and {self.memory_mb} "
            f"{max(self._cpus, 0.0):g} and {self._memory:g} are free"
        )
