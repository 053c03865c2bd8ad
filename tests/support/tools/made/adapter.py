"""A tool that does what it is told, for tests of what becomes of it."""

from pathlib import Path
from typing import Literal

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    mode: Literal[
        "ok", "crash", "hang", "garbage", "cut", "slow", "silent", "fragile", "fragile-slow",
        "gate", "flood", "shout", "code",
    ] = "ok"  # fmt: skip
    flaws: tuple[int, ...] = ()
    marker: str = ""
    rule: str = "made:flaw"


def command(job: ToolJob, options: ToolOptions) -> Command:
    chosen = Options.model_validate(options.model_dump())
    script = str(Path(__file__).with_name("program.py"))
    ports = ",".join(map(str, chosen.flaws))
    return Command((script, chosen.mode, job.target.address, ports, chosen.marker, chosen.rule), "result.jsonl")
