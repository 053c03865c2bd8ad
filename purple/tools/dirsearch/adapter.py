"""How dirsearch is run: words below the target's folder, at a bounded rate, following nobody."""

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions
from purple.toolkit.web import host_header, pinned_url
from purple.toolkit.words import words


class Options(ToolOptions):
    """What a profile may choose."""

    rate: int = Field(default=50, ge=1, le=10_000)
    """Requests a second, at most."""
    threads: int = Field(default=10, ge=1, le=100)
    timeout_s: int = Field(default=10, ge=1, le=120)
    """For each request."""
    words: tuple[str, ...] = Field(default=(), max_length=100_000)
    """Paths to ask for, without the first slash; by default a list of our own of about 130."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list. What it prints is the result: its JSON does not say whether anybody answered."""
    chosen = Options.model_validate(options.model_dump())
    asked = [each for each in chosen.words or words("paths").splitlines() if each.strip()]
    arguments = ["--url", pinned_url(job.target, folder=True), "--wordlists", "words.txt", "--extensions", "html"]
    arguments += ["--no-color", "--verbose", "--full-url", "--sync"]
    arguments += ["--max-rate", str(chosen.rate), "--threads", str(min(chosen.threads, chosen.rate))]
    arguments += ["--timeout", str(chosen.timeout_s), "--retries", "1", "--exclude-status", "404,410"]
    if header := host_header(job.target):
        arguments += ["--header", header]
    return Command(tuple(arguments), "stdout", files={"words.txt": "\n".join(asked) + "\n"})
