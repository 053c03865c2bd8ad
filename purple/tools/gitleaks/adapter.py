"""How Gitleaks is run: on the fetched history, with its own rules, and with a report that holds no secret."""

from pathlib import Path

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import HISTORY, Command, ToolOptions

HERE = Path(__file__).parent


class Options(ToolOptions):
    """What a profile may choose."""

    history: int = Field(default=0, ge=0, le=1_000_000)
    """How many commits to look at; 0 for the whole history of every branch."""
    believe_comments: bool = False
    """Whether `gitleaks:allow` in the code silences a finding."""
    decode_depth: int = Field(default=5, ge=0, le=10)
    """How often encoded text is decoded to look inside."""


def command(job: ToolJob, options: ToolOptions) -> Command:  # noqa: ARG001 - every adapter is given its job
    """The argument list. Gitleaks fills in the report's template itself, so that no file ever holds a secret.

    Leaks end it with a code of their own: its usual one, 1, is also that of its failures.
    """
    chosen = Options.model_validate(options.model_dump())
    arguments = ["git", HISTORY, "--config", str(HERE / "rules.toml"), "--gitleaks-ignore-path", "/dev/null"]
    arguments += ["--report-format", "template", "--report-template", str(HERE / "report.tmpl")]
    arguments += ["--report-path", "gitleaks.json", "--exit-code", "10", "--no-banner", "--no-color"]
    arguments += ["--platform", "none", "--max-decode-depth", str(chosen.decode_depth)]
    if not chosen.believe_comments:
        arguments.append("--ignore-gitleaks-allow")
    return Command(tuple(arguments), "gitleaks.json")
