"""A tool that puts an entry into a server and takes its time, and its undo, which deletes the entry."""

from pathlib import Path

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    """Of the server, and how much there is to find."""

    port: int = Field(ge=1, le=65_535)
    seconds: float = Field(default=1.0, ge=0, le=60)
    flaws: int = Field(default=6, ge=0, le=10_000)


def command(job: ToolJob, options: ToolOptions) -> Command:
    """What it does."""
    return _command("act", job, options)


def undo(job: ToolJob, options: ToolOptions) -> Command:
    """How that is taken back."""
    return _command("undo", job, options)


def _command(verb: str, job: ToolJob, options: ToolOptions) -> Command:
    chosen = Options.model_validate(options.model_dump())
    values = (verb, job.target.address, str(chosen.port), job.mark, str(chosen.seconds), str(chosen.flaws))
    return Command(("-I", "-S", str(Path(__file__).with_name("program.py")), *values), "result.jsonl")
