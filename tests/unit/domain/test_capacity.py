"""Room for tools in one worker: by weight, in turn, within each tool's limit."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from purple.domain.capacity import Capacity
from purple.domain.errors import NoRoomError
from purple.domain.tools import Intrusiveness, ToolSpec


def tool(name: str, cpu: float = 1.0, memory_mb: int = 100) -> ToolSpec:
    return ToolSpec(
        name=name,
        title=name,
        purpose="",
        target_kinds=("host",),
        role="scan",
        timeout_s=1,
        intrusiveness=Intrusiveness.SAFE,
        cpu=cpu,
        memory_mb=memory_mb,
    )


async def refused(capacity: Capacity, spec: ToolSpec, why: str) -> None:
    with pytest.raises(NoRoomError, match=why):
        async with capacity.room(spec, 0.01):
            raise AssertionError("there was room")


async def until_waiting(capacity: Capacity, number: int) -> None:
    async with asyncio.timeout(5):
        while len(capacity._waiting) != number:  # noqa: SLF001 - nobody outside waits for that
            await asyncio.sleep(0)


@pytest.mark.parametrize("kind", ["cpu", "memory"])
async def test_tools_run_side_by_side_as_long_as_they_fit(kind) -> None:
    capacity = Capacity(cpus=2, memory_mb=1000)
    light = tool("light", cpu=0.9 if kind == "cpu" else 0.1, memory_mb=450 if kind == "memory" else 1)
    async with capacity.room(light, 1), capacity.room(light, 1):
        await refused(capacity, light, "it needs")
    async with capacity.room(light, 1):
        pass


async def test_many_small_ones_add_up_exactly() -> None:
    capacity = Capacity(cpus=1, memory_mb=10_000)
    async with AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(capacity.room(tool("tiny", cpu=0.1), 0.01))
        await refused(capacity, tool("tiny", cpu=0.1), "it needs")


async def test_a_tool_beyond_all_there_is_runs_alone() -> None:
    capacity = Capacity(cpus=2, memory_mb=1000)
    giant = tool("giant", cpu=64, memory_mb=100_000)
    async with capacity.room(giant, 1):
        await refused(capacity, tool("light", cpu=0.1, memory_mb=1), "it needs")


async def test_a_heavy_tool_is_not_starved_by_light_ones() -> None:
    capacity = Capacity(cpus=2, memory_mb=1000)
    order: list[str] = []
    heavy, light = tool("heavy", cpu=2), tool("light", cpu=1)

    async def run(spec: ToolSpec) -> None:
        async with capacity.room(spec, 5):
            order.append(spec.name)

    async with capacity.room(light, 1):
        first = asyncio.create_task(run(heavy))
        await until_waiting(capacity, 1)
        second = asyncio.create_task(run(light))
        await until_waiting(capacity, 2)
        assert order == [], "a light one that came later does not overtake"
    await asyncio.gather(first, second)
    assert order == ["heavy", "light"]


async def test_the_limit_of_one_tool_holds_nobody_else_up() -> None:
    capacity = Capacity(cpus=8, memory_mb=10_000, tool_limits={"shy": 1})
    async with capacity.room(tool("shy"), 1):
        waiting = asyncio.create_task(_enter(capacity, tool("shy")))
        await until_waiting(capacity, 1)
        await _enter(capacity, tool("other"))
        await refused(capacity, tool("shy"), "TOOL_LIMITS")
    await waiting


async def _enter(capacity: Capacity, spec: ToolSpec) -> None:
    async with capacity.room(spec, 5):
        pass


async def test_who_stops_waiting_leaves_no_trace() -> None:
    capacity = Capacity(cpus=1, memory_mb=1000)
    async with capacity.room(tool("one"), 1):
        waiting = asyncio.create_task(_enter(capacity, tool("two")))
        await until_waiting(capacity, 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await _enter(capacity, tool("three"))


async def test_more_work_is_asked_for_only_while_some_would_fit() -> None:
    capacity = Capacity(cpus=1, memory_mb=1000)
    await asyncio.wait_for(capacity.some_room(0.5, 100), 1)
    async with capacity.room(tool("one"), 1):
        asking = asyncio.create_task(capacity.some_room(0.5, 100))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not asking.done()
    await asyncio.wait_for(asking, 1)


async def test_a_worker_that_ends_lets_nobody_in_and_sends_away_who_waits() -> None:
    capacity = Capacity(cpus=1, memory_mb=1000)
    async with capacity.room(tool("one"), 1):
        waiting = asyncio.create_task(_enter(capacity, tool("two")))
        await until_waiting(capacity, 1)
        capacity.close()
        with pytest.raises(NoRoomError, match="this worker ends"):
            await waiting
    await refused(capacity, tool("three"), "this worker ends")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(capacity.some_room(0.1, 1), 0.05)
