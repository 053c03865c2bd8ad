"""A tool that takes a known time."""

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    """How long."""

    seconds: float = Field(default=0.0, ge=0, le=30)


def command(job: ToolJob, options: ToolOptions) -> Command:  # noqa: ARG001 - the adapter's signature
    """A program that starts at once: Python, found by name, may be a script that looks for one."""
    chosen = Options.model_validate(options.model_dump())
    return Command((str(chosen.seconds),), "stdout")
