"""How pip-audit is run: on a list of pinned requirements made from the code, resolving and building nothing."""

from typing import Literal

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import CODE, Command, ToolOptions
from purple.tools.pip_audit.requirements import listed

OSV = "https://api.osv.dev/v1/query"


class Options(ToolOptions):
    """What a profile may choose."""

    service: Literal["pypi", "osv"] = "osv"
    """Who is asked. PyPI knows its own packages; OSV those of every index that has advisories there."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list. Without a list of its own pip-audit would audit itself, so an empty one is given too.

    Left to itself it runs pip, which runs `setup.py` of whatever it resolves.
    """
    chosen = Options.model_validate(options.model_dump())
    job.work.joinpath("pinned.txt").write_text("".join(f"{line}\n" for line in listed(job.work / CODE)), "utf-8")
    arguments = ["--requirement", "pinned.txt", "--no-deps", "--disable-pip", "--progress-spinner=off"]
    arguments += [f"--vulnerability-service={chosen.service}", f"--osv-url={OSV}", "--desc=on", "--aliases=on"]
    return Command((*arguments, "--cache-dir=cache", "--format=json", "--output=pip-audit.json"), "pip-audit.json")
