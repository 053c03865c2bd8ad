"""How a workflow asks for a step, and what it says of one that failed."""

from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from purple.contracts.base import Contract

T = TypeVar("T")


async def do(step: str, argument: Contract, result: type[T], summary: str, config: workflow.ActivityConfig) -> T:
    """Run a step; its summary is what the Temporal UI shows of it."""
    whole: workflow.ActivityConfig = {**config, "summary": summary[:200]}
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


def why(error: ActivityError) -> str:
    """What went wrong in a step, in its own words."""
    cause = error.cause
    return cause.message if isinstance(cause, ApplicationError) else str(cause or error)
