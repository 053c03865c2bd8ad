"""Temporal as the orchestrator: start, cancel and query by name and contract."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionDescription,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from purple.contracts import names
from purple.contracts.campaigns import CampaignInput, Progress, Retried
from purple.domain.errors import ConflictError, ForbiddenError, PurpleError, UnavailableError
from purple.settings.app import TemporalSettings

RPC_TIMEOUT = timedelta(seconds=10)
UPDATE_TIMEOUT = timedelta(seconds=30)
PATIENCE_S = 4.0
"""A caller waits so long for a server that is away, however often the client tries within."""


async def connect(settings: TemporalSettings, *, lazy: bool = True) -> Client:
    """A client; a lazy one connects at its first call, so that a process starts while the server is away.

    Raises:
        RuntimeError: the address is malformed.
    """
    return await Client.connect(
        settings.address,
        namespace=settings.namespace,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        tls=settings.tls,
        data_converter=pydantic_data_converter,
        lazy=lazy,
    )


@asynccontextmanager
async def _reached(patience_s: float = PATIENCE_S) -> AsyncIterator[None]:
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


def _refused(error: WorkflowUpdateFailedError) -> PurpleError:
    cause: BaseException | None = error.cause
    if isinstance(cause, ActivityError):
        cause = cause.cause
    said = cause.message if isinstance(cause, ApplicationError) else str(cause)
    if isinstance(cause, ApplicationError) and cause.type == names.ERROR_REFUSED:
        return ForbiddenError(said)
    return ConflictError(said, remedy="try again in a few seconds")


async def _beat(description: WorkflowExecutionDescription, payloads: Sequence[Payload]) -> dict[str, str]:
    details = await description.data_converter.decode(payloads) if payloads else []
    return details[0] if details and isinstance(details[0], dict) else {}


class TemporalOrchestrator:
    """See `domain.ports.Orchestrator`."""

    def __init__(self, settings: TemporalSettings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._lock = asyncio.Lock()

    async def client(self) -> Client:
        """The one client of this process."""
        async with self._lock:
            if self._client is None:
                self._client = await connect(self._settings)
            return self._client

    async def connected_client(self) -> Client:
        """A client for workers, once the server is there."""
        while True:
            try:
                return await connect(self._settings, lazy=False)
            except RuntimeError:
                await asyncio.sleep(1)

    async def _handle(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        return (await self.client()).get_workflow_handle(workflow_id)

    async def start(self, workflow_id: str, argument: Any, *, summary: str) -> None:
        """Start; one that is or was there is left alone."""
        if not isinstance(argument, CampaignInput):
            raise TypeError(f"a campaign starts from a CampaignInput, not {type(argument).__name__}")
        async with _reached():
            client = await self.client()
            with contextlib.suppress(WorkflowAlreadyStartedError):
                await client.start_workflow(
                    names.WORKFLOW,
                    argument,
                    id=workflow_id,
                    task_queue=names.QUEUE_CONTROL,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    static_summary=summary[:200],
                    static_details=f"Profile {argument.profile}, {len(argument.target_ids)} target(s)",
                    rpc_timeout=RPC_TIMEOUT,
                )

    async def cancel(self, workflow_id: str) -> None:
        """Signal; one that ended is left alone."""
        await self._signal(workflow_id, names.SIGNAL_CANCEL)

    async def pause(self, workflow_id: str) -> None:
        """Signal; one that ended is left alone."""
        await self._signal(workflow_id, names.SIGNAL_PAUSE)

    async def resume(self, workflow_id: str) -> None:
        """Signal; one that ended is left alone."""
        await self._signal(workflow_id, names.SIGNAL_RESUME)

    async def revoke(self, workflow_id: str) -> None:
        """Signal; one that ended is left alone."""
        await self._signal(workflow_id, names.SIGNAL_REVOKED)

    async def _signal(self, workflow_id: str, name: str) -> None:
        async with _reached():
            handle = await self._handle(workflow_id)
            try:
                await handle.signal(name, rpc_timeout=RPC_TIMEOUT)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

    async def retry(self, workflow_id: str, argument: Any, request: Any, *, key: str) -> None:
        """Update with start: a workflow that ended takes no update."""
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            names.WORKFLOW,
            argument,
            id=workflow_id,
            task_queue=names.QUEUE_CONTROL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=argument.name[:200],
        )
        try:
            async with _reached(UPDATE_TIMEOUT.total_seconds()):
                await (await self.client()).execute_update_with_start_workflow(
                    names.UPDATE_RETRY,
                    request,
                    start_workflow_operation=start,
                    id=key,
                    result_type=Retried,
                    rpc_timeout=UPDATE_TIMEOUT,
                )
        except WorkflowUpdateFailedError as error:
            raise _refused(error) from error

    async def progress(self, workflow_id: str) -> Mapping[str, Any] | None:
        """How far a campaign is, or None where no worker answers in time."""
        try:
            async with _reached():
                handle = await self._handle(workflow_id)
                told: Progress = await handle.query(
                    names.QUERY_PROGRESS, result_type=Progress, rpc_timeout=timedelta(seconds=3)
                )
        except (UnavailableError, WorkflowFailureError):
            return None
        return told.model_dump(mode="json")

    async def outputs(self, workflow_id: str) -> Mapping[UUID, datetime]:
        """Out of the heartbeats of its running steps."""
        handle = await self._handle(workflow_id)
        try:
            description = await handle.describe(rpc_timeout=timedelta(seconds=3))
        except (RPCError, RuntimeError):
            return {}
        found: dict[UUID, datetime] = {}
        for step in description.raw_description.pending_activities:
            beat = await _beat(description, step.heartbeat_details.payloads)
            if beat.get("scan_id") and beat.get("last_output_at"):
                found[UUID(beat["scan_id"])] = datetime.fromisoformat(beat["last_output_at"])
        return found

    async def ping(self) -> str:
        """Its version."""
        async with _reached():
            client = await self.client()
            info = await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=timedelta(seconds=2))
        return f"server {info.server_version}"

    def link(self, workflow_id: str) -> str:
        """The campaign's page."""
        if not self._settings.ui_url:
            return ""
        namespace = quote(self._settings.namespace)
        return f"{self._settings.ui_url}/namespaces/{namespace}/workflows/{quote(workflow_id, safe='')}"
