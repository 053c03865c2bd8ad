"""How ffuf is run: words below the target's folder, at a bounded rate, following nobody."""

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions
from purple.toolkit.web import host_header, pinned_url
from purple.toolkit.words import words

NOTHING = ("purple-nothing-here-1", "purple-nothing-here-2.html", "purple-nothing-here-3/")
"""What no server has: how it answers these is how it says no, even where it says it with a 200."""


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
    """The argument list. Every answer is kept, so that the parser knows who did not answer.

    The pause of each thread bounds the rate in every version of ffuf; `-rate` came after the one that Debian 12 has.
    """
    chosen = Options.model_validate(options.model_dump())
    asked = (*NOTHING, *(each for each in chosen.words or words("paths").splitlines() if each.strip()))
    threads = min(chosen.threads, chosen.rate)
    # the keyword is replaced wherever it stands, so it must not stand in the target's own path
    base = pinned_url(job.target, folder=True).replace("FUZZ", "%46UZZ")
    arguments = ["-u", f"{base}FUZZ", "-w", "words.txt", "-mc", "all", "-of", "json", "-o", "ffuf.json", "-s"]
    arguments += ["-t", str(threads), "-p", f"{threads / chosen.rate:.3f}", "-timeout", str(chosen.timeout_s)]
    if header := host_header(job.target):
        arguments += ["-H", header]
    return Command(tuple(arguments), "ffuf.json", files={"words.txt": "\n".join(asked) + "\n"})
