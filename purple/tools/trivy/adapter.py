"""How Trivy is run where a user has it: on fetched code, or on an image that it fetches itself."""

from typing import Literal

from pydantic import Field

from purple.domain.targets import TargetKind
from purple.domain.tools import ToolJob
from purple.settings.paths import default_cache
from purple.toolkit.adapter import CODE, Command, ToolOptions

Scanner = Literal["vuln", "misconfig", "secret"]
CHECKED = "azure-arm,cloudformation,dockerfile,helm,kubernetes"
"""Terraform is left to others: Trivy fetches its modules from whatever address the code names."""
DATABASE = default_cache() / "trivy"
QUIET = {"TRIVY_SKIP_VERSION_CHECK": "true", "TRIVY_DISABLE_TELEMETRY": "true"}
"""Asked of newer versions in the environment, where older ones do not refuse what they do not know."""


class Options(ToolOptions):
    """What a profile may choose."""

    scanners: tuple[Scanner, ...] = Field(default=("vuln", "misconfig", "secret"), min_length=1)
    update: bool = True
    """Whether Trivy may fetch its database and its checks anew; without, it uses those in the cache."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list.

    Trivy looks for `.trivyignore`, `trivy.yaml` and `trivy-secret.yaml` where it is started, which is beside the code
    and never in it. Images come from their registry: a daemon of this machine may hold others by the same name.
    """
    chosen = Options.model_validate(options.model_dump())
    arguments = ["--cache-dir", str(DATABASE), "--scanners", ",".join(chosen.scanners)]
    if "misconfig" in chosen.scanners:
        arguments += ["--misconfig-scanners", CHECKED]
    arguments += ["--quiet", "--offline-scan", "--format", "json", "--output", "trivy.json"]
    if not chosen.update:
        arguments += ["--skip-db-update", "--skip-java-db-update", "--skip-check-update"]
    if job.target.kind == TargetKind.IMAGE:
        arguments = ["image", "--image-src", "remote", *arguments, "--", job.target.host]
    else:
        arguments = ["filesystem", *arguments, "--", CODE]
    return Command(tuple(arguments), "trivy.json", environment=QUIET, keeps=(DATABASE,))
