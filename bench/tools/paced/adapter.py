"""A tool that takes a known time."""

from pathlib import Path

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    """How long."""

    seconds: float = Field(default=0.0, ge=0, le=30)


def command(job: ToolJob, options: ToolOptions) -> Command:  # noqa: ARG001 - the adapter's signature
    """Python without its site packages, which starts at once."""
    chosen = Options.model_validate(options.model_dump())
    return Command(("-I", "-S", str(Path(__file__).with_name("program.py")), str(chosen.seconds)), "stdout")
