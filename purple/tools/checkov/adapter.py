"""How Checkov is run: on the fetched code, never with a configuration that the code brings along."""

from typing import Literal

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import CODE, Command, ToolOptions

# what starts programs of the machine (helm, kustomize), asks servers or looks for secrets and packages stays out
Framework = Literal[
    "ansible", "argo_workflows", "arm", "azure_pipelines", "bicep", "bitbucket_pipelines", "circleci_pipelines",
    "cloudformation", "dockerfile", "github_actions", "gitlab_ci", "kubernetes", "openapi", "serverless", "terraform",
]  # fmt: skip
DEFAULT: tuple[Framework, ...] = (
    "azure_pipelines", "bicep", "cloudformation", "dockerfile", "github_actions", "gitlab_ci", "kubernetes",
    "terraform",
)  # fmt: skip


class Options(ToolOptions):
    """What a profile may choose."""

    frameworks: tuple[Framework, ...] = Field(default=DEFAULT, min_length=1)


def command(job: ToolJob, options: ToolOptions) -> Command:  # noqa: ARG001 - every adapter is given its job
    """The argument list.

    Where Checkov is told its folder as `-d FOLDER` it reads the `.checkov.yaml` in there, which names Python files to
    run. It does not where both are one word.
    """
    chosen = Options.model_validate(options.model_dump())
    arguments = [f"--directory={CODE}", "--skip-download", "--output=json", "--framework", *chosen.frameworks]
    return Command(tuple(arguments), "stdout")
