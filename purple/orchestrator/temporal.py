"""Temporal as the orchestrator: start, cancel and query by name and contract."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, GetSystemInfoRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionDescription,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from purple.contracts import names
from purple.contracts.campaigns import ENGINE, CampaignInput, Order, Ordered, Progress, Retried
from purple.contracts.gates import GateOpen, GateRef
from purple.domain.campaigns import Phase, campaign_id_of
from purple.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    PurpleError,
    UnavailableError,
)
from purple.domain.identity import Action
from purple.orchestrator.builds import Builds
from purple.orchestrator.reaching import reached as _reached
from purple.settings.app import TemporalSettings

RPC_TIMEOUT = timedelta(seconds=10)
UPDATE_TIMEOUT = timedelta(seconds=30)
POLL = timedelta(seconds=75)
_ANSWERS = {Action.APPROVE, Action.REJECT}
_TOLD: dict[str, type[PurpleError]] = {each.code: each for each in (ConflictError, InvalidInputError, NotFoundError)}
"""Refusals of a step that are no question of who asks."""


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


def _root(error: BaseException | None) -> BaseException | None:
    """What a step failed for, of a failure that only says which step it was."""
    return error.cause if isinstance(error, ActivityError) else error


def _refused(error: WorkflowUpdateFailedError) -> PurpleError:
    cause = _root(error.cause)
    said = cause.message if isinstance(cause, ApplicationError) else str(cause)
    if isinstance(cause, ApplicationError) and cause.type == names.ERROR_REFUSED:
        return _TOLD.get(cause.details[0] if cause.details else "", ForbiddenError)(said)
    return ConflictError(said, remedy="try again in a few seconds")


def _attributes(workflow_id: str, campaign: CampaignInput) -> TypedSearchAttributes:
    """By which a campaign is found on the server, told with its start: to tell them later costs it a change."""
    told = {
        names.ATTRIBUTE_CAMPAIGN: str(campaign_id_of(workflow_id)),
        names.ATTRIBUTE_ORGANISATION: str(campaign.organisation_id),
        names.ATTRIBUTE_PROFILE: campaign.profile,
        names.ATTRIBUTE_PHASE: Phase.RECON.value,
    }
    keys = SearchAttributeKey.for_keyword
    return TypedSearchAttributes([SearchAttributePair(keys(name), value) for name, value in told.items()])


async def _beat(description: WorkflowExecutionDescription, payloads: Sequence[Payload]) -> dict[str, str]:
    details = await description.data_converter.decode(payloads) if payloads else []
    return details[0] if details and isinstance(details[0], dict) else {}


class TemporalOrchestrator:
    """See `domain.ports.Orchestrator`."""

    def __init__(self, settings: TemporalSettings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._lock = asyncio.Lock()
        self.builds = Builds(settings, self.client)

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

    async def start(self, workflow_id: str, argument: Any, *, summary: str) -> bool:
        """Start; one that is or was there is left alone."""
        if not isinstance(argument, CampaignInput):
            raise TypeError(f"a campaign starts from a CampaignInput, not {type(argument).__name__}")
        async with _reached():
            client = await self.client()
            try:
                await client.start_workflow(
                    names.WORKFLOW,
                    argument.model_copy(update={"engine": ENGINE}),
                    id=workflow_id,
                    task_queue=names.QUEUE_CONTROL,
                    search_attributes=_attributes(workflow_id, argument),
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    static_summary=summary[:200],
                    static_details=f"Profile {argument.profile}, {len(argument.target_ids) or 'many'} target(s)",
                    rpc_timeout=RPC_TIMEOUT,
                )
            except WorkflowAlreadyStartedError:
                return False
        return True

    async def start_undos(self, workflow_id: str, argument: Any, *, summary: str) -> None:
        """Start; one that runs is left alone, one that ended runs again."""
        async with _reached():
            await (await self.client()).start_workflow(
                names.WORKFLOW_UNDO,
                argument,
                id=workflow_id,
                task_queue=names.QUEUE_CONTROL,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=summary[:200],
                rpc_timeout=RPC_TIMEOUT,
            )

    async def served(self, queue: str) -> bool:
        """A poll lasts a minute at most; who asked before that is gone."""
        async with _reached():
            client = await self.client()
            request = DescribeTaskQueueRequest(
                namespace=self._settings.namespace,
                task_queue=TaskQueue(name=queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            )
            told = await client.workflow_service.describe_task_queue(request, timeout=RPC_TIMEOUT)
        since = datetime.now(UTC) - POLL
        return any(each.last_access_time.ToDatetime(UTC) >= since for each in told.pollers)

    async def ended_at(self, workflow_id: str) -> datetime | None:
        """One that the server has forgotten ended long ago."""
        async with _reached():
            handle = await self._handle(workflow_id)
            try:
                return (await handle.describe(rpc_timeout=RPC_TIMEOUT)).close_time
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return datetime.min.replace(tzinfo=UTC)

    async def failure(self, workflow_id: str) -> str:
        """Out of its last event."""
        async with _reached():
            handle = await self._handle(workflow_id)
            try:
                await handle.result(rpc_timeout=RPC_TIMEOUT)
            except WorkflowFailureError as error:
                cause = _root(error.cause)
                return cause.message if isinstance(cause, FailureError) else str(cause or error)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
        return ""

    async def cancel(self, workflow_id: str) -> bool:
        """Signal."""
        return await self._signal(workflow_id, names.SIGNAL_CANCEL)

    async def pause(self, workflow_id: str) -> bool:
        """Signal."""
        return await self._signal(workflow_id, names.SIGNAL_PAUSE)

    async def resume(self, workflow_id: str) -> bool:
        """Signal."""
        return await self._signal(workflow_id, names.SIGNAL_RESUME)

    async def revoke(self, workflow_id: str) -> None:
        """Signal; one that ended is left alone."""
        await self._signal(workflow_id, names.SIGNAL_REVOKED)

    async def _signal(self, workflow_id: str, name: str, *arguments: Any) -> bool:
        """Whether there was somebody to take it."""
        async with _reached():
            handle = await self._handle(workflow_id)
            try:
                await handle.signal(name, args=arguments, rpc_timeout=RPC_TIMEOUT)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return False
        return True

    async def wake_gate(self, organisation_id: UUID, host: str) -> None:
        """Signal with start."""
        async with _reached():
            client = await self.client()
            await client.start_workflow(
                names.GATE_WORKFLOW,
                GateRef(organisation_id=organisation_id, host=host),
                id=f"gate/{organisation_id}/{host}",
                task_queue=names.QUEUE_CONTROL,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal=names.SIGNAL_GATE_WAKE,
                static_summary=f"Gate of {host}",
                rpc_timeout=RPC_TIMEOUT,
            )

    async def open_gate(self, workflow_id: str, scan_id: UUID) -> bool:
        """Signal; false where nobody is there."""
        return await self._signal(workflow_id, names.SIGNAL_GATE_OPEN, GateOpen(scan_id=scan_id))

    async def retry(self, workflow_id: str, argument: Any, request: Any, *, key: str) -> None:
        """Update with start: a workflow that ended takes no update."""
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            names.WORKFLOW,
            argument.model_copy(update={"engine": ENGINE}),
            id=workflow_id,
            task_queue=names.QUEUE_CONTROL,
            search_attributes=_attributes(workflow_id, argument),
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

    async def order(self, workflow_id: str, order: Any, *, key: str) -> None:
        """Update a running campaign."""
        if not isinstance(order, Order):
            raise TypeError(f"a campaign carries out an Order, not {type(order).__name__}")
        name = names.UPDATE_APPROVE if order.action in _ANSWERS else names.UPDATE_STEER
        try:
            async with _reached(UPDATE_TIMEOUT.total_seconds()):
                handle = await self._handle(workflow_id)
                try:
                    await handle.execute_update(name, order, id=key, result_type=Ordered, rpc_timeout=UPDATE_TIMEOUT)
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise
                    raise ConflictError(
                        "the campaign does not run", remedy="look whether it waits or has ended"
                    ) from error
        except WorkflowUpdateFailedError as error:
            raise _refused(error) from error

    async def progress(self, workflow_id: str) -> Mapping[str, Any] | None:
        """How far a campaign is, or None where no worker answers in time."""
        try:
            async with _reached():
                told = await self._query(workflow_id)
                parts = await asyncio.gather(*map(self._query, told.children), return_exceptions=True)
        except (UnavailableError, WorkflowFailureError):
            return None
        for part in parts:
            if isinstance(part, Progress):  # one that has just ended is told of by its parent
                told = told.model_copy(
                    update={"done": told.done + part.done, "running": (*told.running, *part.running)}
                )
        return told.model_dump(mode="json", exclude={"children"})

    async def _query(self, workflow_id: str) -> Progress:
        handle = await self._handle(workflow_id)
        told: Progress = await handle.query(
            names.QUERY_PROGRESS, result_type=Progress, rpc_timeout=timedelta(seconds=3)
        )
        return told

    async def outputs(self, workflow_id: str) -> Mapping[UUID, datetime]:
        """Out of the heartbeats of its running steps."""
        handle = await self._handle(workflow_id)
        try:
            description = await handle.describe(rpc_timeout=timedelta(seconds=3))
        except (RPCError, RuntimeError):
            return {}
        found: dict[UUID, datetime] = {}
        for child in description.raw_description.pending_children:
            found |= await self.outputs(child.workflow_id)
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
