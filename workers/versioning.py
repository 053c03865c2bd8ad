"""Which build of the workflows a worker runs, so that a deploy never mixes two of them inside one campaign."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

import workflows
from purple.contracts.lock import LOCK
from purple.settings.app import TemporalSettings

_BEHAVIOURS = {"auto_upgrade": VersioningBehavior.AUTO_UPGRADE, "pinned": VersioningBehavior.PINNED}


def build_of(settings: TemporalSettings) -> str:
    """The build's id: as it was set, or of the version and of whatever decides what workflows ask for."""
    if settings.build_id:
        return settings.build_id
    digest = hashlib.sha256()
    for path in (*sorted(Path(workflows.__file__).parent.glob("*.py")), LOCK):
        digest.update(path.read_bytes())
    return f"{version('purple').replace('.', '-')}-{digest.hexdigest()[:10]}"


def deployment_of(settings: TemporalSettings) -> WorkerDeploymentConfig | None:
    """What the worker of the workflows tells the server; None without versioning."""
    if settings.versioning == "off":
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.deployment, build_of(settings)),
        use_worker_versioning=True,
        default_versioning_behavior=_BEHAVIOURS[settings.versioning],
    )
