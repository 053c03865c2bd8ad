"""How Bandit is run: on the fetched code, without anything that the code says about Bandit."""

from typing import Literal

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import CODE, Command, ToolOptions

Level = Literal["all", "low", "medium", "high"]


class Options(ToolOptions):
    """What a profile may choose."""

    severity: Level = "all"
    """The least that is reported."""
    confidence: Level = "all"
    believe_comments: bool = False
    """Whether `# nosec` in the code silences a finding."""


def command(job: ToolJob, options: ToolOptions) -> Command:  # noqa: ARG001 - every adapter is given its job
    """The argument list.

    A `.bandit` file in the code could skip every test, so another takes its place. Bandit leaves out what holds `.git`
    anywhere in its path, which workflows in `.github` do; no path holds a double slash. Its guesses at passwords stay
    out: it would write them in clear, and finding secrets is another tool's work.
    """
    chosen = Options.model_validate(options.model_dump())
    arguments = ["--recursive", CODE, "--ini", "/dev/null", "--exclude", "//", "--quiet"]
    arguments += ["--skip", "B105,B106,B107"]
    arguments += ["--severity-level", chosen.severity, "--confidence-level", chosen.confidence]
    if not chosen.believe_comments:
        arguments.append("--ignore-nosec")
    return Command((*arguments, "--format", "json", "--output", "bandit.json"), "bandit.json")
