"""What it means that Temporal is away: many errors become one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from purple.domain.errors import UnavailableError

PATIENCE_S = 4.0
"""A caller waits so long for a server that is away, however often the client tries within."""


@asynccontextmanager
async def reached(patience_s: float = PATIENCE_S) -> AsyncIterator[None]:
    """Turn the many ways in which a server does not answer into one.

    Raises:
        UnavailableError: it did not, or not in time.
    """
    try:
        async with asyncio.timeout(patience_s):
            yield
    except (RPCError, RuntimeError, TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        said = str(error) or "no answer in time"
        raise UnavailableError(f"Temporal is away: {said}", remedy="try again in a few seconds") from error
