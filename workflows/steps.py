"""How a workflow asks for a step, and what it says of one that failed."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

with workflow.unsafe.imports_passed_through():
    from purple.contracts.base import Contract
    from workflows import patches

T = TypeVar("T")


@contextmanager
def cancel_stands() -> Iterator[None]:
    """Around what is awaited: a cancel that came in one turn with its end is not lost.

    The SDK asks an activity to cancel and then gives its result where that has come with the same turn, and Python
    3.11's `wait_for` does alike. What was awaited was a task of its own, so that ours still counts who cancelled it.

    Raises:
        asyncio.CancelledError: it was cancelled meanwhile.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    yield
    if task and task.cancelling() > before and workflow.patched(patches.CANCEL_STANDS):
        raise asyncio.CancelledError


async def do(step: str, argument: Contract, result: type[T], summary: str, config: workflow.ActivityConfig) -> T:
    """Run a step; its summary is what the Temporal UI shows of it."""
    whole: workflow.ActivityConfig = {**config, "summary": summary[:200]}
    with cancel_stands():
        done: T = await workflow.execute_activity(step, argument, result_type=result, **whole)
    return done


async def do_here(step: str, argument: Contract, result: type[T], summary: str, config: workflow.ActivityConfig) -> T:
    """Run a short step in the worker that runs the workflow, which spares the server two turns.

    Tried again like any other; where its worker dies, another one takes it up with the workflow's task.
    """
    done: T = await workflow.execute_local_activity(
        step,
        argument,
        result_type=result,
        start_to_close_timeout=config["start_to_close_timeout"],
        retry_policy=config["retry_policy"],
        summary=summary[:200],
    )
    return done


async def surely(work: Coroutine[Any, Any, T]) -> T:
    """Do it to its end, whatever is cancelled meanwhile."""
    task = asyncio.create_task(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()


def why(error: BaseException) -> str:
    """What went wrong in a step, or in a child and its step, in its own words."""
    while isinstance(error, ActivityError | ChildWorkflowError) and error.cause:
        error = error.cause
    return error.message if isinstance(error, ApplicationError) else str(error)
