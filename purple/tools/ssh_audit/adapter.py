"""How ssh-audit is run: on the checked address, without its test of connection rates."""

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    """What a profile may choose."""

    timeout_s: int = Field(default=5, ge=1, le=60)
    """To connect and to read, each."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list. The rate test opens dozens of connections at once, which is no ordinary use of a service."""
    chosen = Options.model_validate(options.model_dump())
    arguments = ["--json", "--skip-rate-test", "--timeout", str(chosen.timeout_s)]
    arguments += ["--port", str(job.target.port or 22)]
    if ":" in job.target.address:
        arguments.append("--ipv6")
    return Command((*arguments, "--", job.target.address), "stdout")
