"""A tool that sends a request after the other to a counter, until it is stopped or has sent as many as it was told."""

from pathlib import Path

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    port: int = 0
    requests: int = Field(default=1, ge=0, le=10_000)


def command(job: ToolJob, options: ToolOptions) -> Command:
    chosen = Options.model_validate(options.model_dump())
    script = str(Path(__file__).with_name("program.py"))
    port = job.target.port or chosen.port
    return Command((script, job.target.address, str(port), str(chosen.requests)), "result.jsonl")
