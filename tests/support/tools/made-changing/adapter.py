"""A tool that puts an entry into a server, and its undo, which deletes it."""

from pathlib import Path
from typing import Literal

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    port: int
    mode: Literal["ok", "crash", "hold-before", "hold-after"] = "ok"
    marker: str = ""


def command(job: ToolJob, options: ToolOptions) -> Command:
    return _command("act", job, options)


def undo(job: ToolJob, options: ToolOptions) -> Command:
    return _command("undo", job, options)


def _command(verb: str, job: ToolJob, options: ToolOptions) -> Command:
    chosen = Options.model_validate(options.model_dump())
    script = str(Path(__file__).with_name("program.py"))
    values = (verb, chosen.mode, job.target.address, str(chosen.port), job.mark, chosen.marker)
    return Command((script, *values), "result.jsonl")
