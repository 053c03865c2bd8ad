"""How Semgrep is run: on the fetched code, with the rules beside this file, asking nobody anything."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import CODE, Command, ToolOptions

RULES = Path(__file__).with_name("rules")
Pattern = Annotated[str, Field(pattern=r"^[\w.*?/@+ -]{1,200}$")]


class Options(ToolOptions):
    """What a profile may choose."""

    exclude: tuple[Pattern, ...] = Field(default=(), max_length=50)
    """Files to leave out, as in a `.gitignore`; nothing is left out by itself."""
    rule_timeout_s: int = Field(default=30, ge=1, le=600)
    """For one rule on one file."""
    believe_comments: bool = False
    """Whether `nosemgrep` in the code silences a finding."""


def command(job: ToolJob, options: ToolOptions) -> Command:  # noqa: ARG001 - every adapter is given its job
    """The argument list.

    A `.semgrepignore` in the code could leave out everything, and large files are left out without a word: neither is.
    """
    chosen = Options.model_validate(options.model_dump())
    arguments = ["scan", "--config", str(RULES), "--metrics=off", "--disable-version-check", "--no-rewrite-rule-ids"]
    arguments += ["--no-git-ignore", "--x-ignore-semgrepignore-files", "--max-target-bytes=0"]
    arguments += ["--jobs=2", "--max-memory=3000", f"--timeout={chosen.rule_timeout_s}", "--timeout-threshold=0"]
    arguments += [f"--exclude={each}" for each in chosen.exclude]
    if not chosen.believe_comments:
        arguments.append("--disable-nosem")
    return Command((*arguments, "--quiet", "--sarif", "--output=semgrep.sarif", CODE), "semgrep.sarif")
