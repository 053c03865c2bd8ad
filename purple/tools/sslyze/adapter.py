"""How SSLyze is run: on the checked address, with the target's name for SNI and certificates."""

from typing import Literal

from purple.domain.targets import authority
from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    """What a profile may choose."""

    mozilla_config: Literal["modern", "intermediate", "old"] = "intermediate"
    """Which Mozilla profile the log judges by. `disable` is not offered: SSLyze then schedules no check at all."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list; `host:port{address}` keeps SSLyze from resolving the name again."""
    chosen = Options.model_validate(options.model_dump())
    place = f"{authority(job.target.host, job.target.port or 443)}{{{job.target.address}}}"
    arguments = ("--json_out=sslyze.json", f"--mozilla_config={chosen.mozilla_config}", "--quiet", place)
    return Command(arguments, "sslyze.json")
