"""How sslscan is run: on the checked address, with the target's name for SNI."""

from pydantic import Field

from purple.domain.targets import authority
from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    """What a profile may choose."""

    timeout_s: int = Field(default=5, ge=1, le=60)
    """To connect and to read, each."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list."""
    chosen = Options.model_validate(options.model_dump())
    arguments = ["--no-colour", f"--timeout={chosen.timeout_s}", f"--sni-name={job.target.host}", "--xml=sslscan.xml"]
    return Command((*arguments, authority(job.target.address, job.target.port or 443)), "sslscan.xml")
