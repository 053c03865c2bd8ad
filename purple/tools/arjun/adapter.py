"""How Arjun is run: names of parameters in bulk to the checked address, at a bounded rate, asking no third party."""

from typing import Literal

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions
from purple.toolkit.web import host_header, pinned_url
from purple.toolkit.words import words


class Options(ToolOptions):
    """What a profile may choose."""

    method: Literal["GET", "POST", "JSON"] = "GET"
    rate: int = Field(default=20, ge=1, le=1000)
    """Requests a second, at most."""
    threads: int = Field(default=2, ge=1, le=50)
    timeout_s: int = Field(default=10, ge=1, le=20)
    """For each request; Arjun gives up above twenty."""
    words: tuple[str, ...] = Field(default=(), max_length=100_000)
    """Names to try; by default a list of our own of about 80."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list. What it prints is the result: it writes no file where it finds nothing.

    Headers that are given take the place of Arjun's own, so a browser's go with the host.
    """
    chosen = Options.model_validate(options.model_dump())
    asked = [each for each in chosen.words or words("parameters").splitlines() if each.strip()]
    arguments = ["-u", pinned_url(job.target), "-m", chosen.method, "-w", "words.txt", "--disable-redirects"]
    arguments += ["--rate-limit", str(chosen.rate), "-t", str(chosen.threads), "-T", str(chosen.timeout_s)]
    if header := host_header(job.target):
        browser = r"User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0\nAccept: */*"
        arguments += ["--headers", rf"{header}\n{browser}"]
    return Command(tuple(arguments), "stdout", files={"words.txt": "\n".join(asked) + "\n"})
