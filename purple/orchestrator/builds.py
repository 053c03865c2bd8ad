"""Builds of the workflows, as the server knows them. Source: Temporal's Worker Versioning, server 1.28 and newer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from purple.domain.errors import NotFoundError
from purple.settings.app import TemporalSettings

RPC_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Build:
    """One build that workers have run."""

    id: str
    state: str
    """`current` takes what is new; `draining` has campaigns still; `drained` and `inactive` have none."""


class Builds:
    """Which builds there are, and which takes what is new."""

    def __init__(self, settings: TemporalSettings, client: Callable[[], Awaitable[Client]]) -> None:
        self._settings = settings
        self._client = client

    async def all(self) -> tuple[Build, ...]:
        """Those of this deployment, the current one first; empty where no versioned worker ever ran."""
        client = await self._client()
        request = DescribeWorkerDeploymentRequest(
            namespace=self._settings.namespace, deployment_name=self._settings.deployment
        )
        try:
            told = await client.workflow_service.describe_worker_deployment(request, timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return ()
        found = [
            Build(each.deployment_version.build_id, _state(each.status))
            for each in told.worker_deployment_info.version_summaries
        ]
        return tuple(sorted(found, key=lambda each: (each.state != "current", each.id)))

    async def make_current(self, build: str) -> None:
        """From now on what is new runs on this build; empty for workers without versioning.

        Raises:
            NotFoundError: no worker of this build has ever run.
        """
        client = await self._client()
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self._settings.namespace,
            deployment_name=self._settings.deployment,
            build_id=build,
            ignore_missing_task_queues=True,
        )
        try:
            await client.workflow_service.set_worker_deployment_current_version(request, timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status not in {RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION}:
                raise
            raise NotFoundError(
                f"no worker of build {build} has run: {error.message}",
                field="build",
                value=build,
                remedy="start its `control` workers first; `purple build list` shows which there are",
            ) from error


def _state(status: "WorkerDeploymentVersionStatus.ValueType") -> str:
    name = WorkerDeploymentVersionStatus.Name(status)
    return name.removeprefix("WORKER_DEPLOYMENT_VERSION_STATUS_").lower()
