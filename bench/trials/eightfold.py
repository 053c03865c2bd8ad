"""`python -m bench.trials.eightfold ROLE…`: workers that do every step eight times at once, and tell of it once."""

import asyncio
import os
import sys
from functools import cached_property
from typing import Any

import temporalio.client
import temporalio.worker
from temporalio.client import Client
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from purple.orchestrator.temporal import TemporalOrchestrator
from purple.settings import load_settings
from workers.runner import Container, on_signals, run_roles

TIMES = 8


class Eightfold(temporalio.client.Interceptor, temporalio.worker.Interceptor):
    """As if the server had given a step to eight workers."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Around every activity."""
        return _Step(next)


class _Step(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """The first that comes to an end is told; the others are those of workers that were given up."""
        several = (super(_Step, self).execute_activity(input) for _ in range(TIMES))
        answers = await asyncio.gather(*several, return_exceptions=True)
        for each in answers:
            if not isinstance(each, BaseException):
                return each
        raise next(each for each in answers if isinstance(each, BaseException))


class _Orchestrator(TemporalOrchestrator):
    async def connected_client(self) -> Client:
        """Of the workers, which take its interceptors."""
        config: dict[str, Any] = dict((await super().connected_client()).config())
        return Client(**config | {"interceptors": [Eightfold()]})


class _Container(Container):
    @cached_property
    def orchestrator(self) -> TemporalOrchestrator:
        """Temporal."""
        return _Orchestrator(self.settings.temporal)


async def run(roles: list[str]) -> None:
    """Until a signal comes."""
    stop = asyncio.Event()
    on_signals(stop)
    container = _Container(load_settings())
    try:
        await run_roles(container, roles, stop)
    finally:
        await container.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1:]))
    os._exit(0)  # a process that used Temporal's client can abort while the interpreter ends
