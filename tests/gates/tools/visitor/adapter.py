"""A tool that stays at its target until that lets it go."""

from pathlib import Path

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    rate: int = 0


def command(job: ToolJob, options: ToolOptions) -> Command:
    chosen = Options.model_validate(options.model_dump())
    script = str(Path(__file__).with_name("program.py"))
    greeting = f"{job.tool} {job.target.port} {chosen.rate}"
    return Command((script, job.target.address, str(job.target.port), greeting), "result.jsonl")
