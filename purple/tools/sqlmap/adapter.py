"""How sqlmap is run: it finds and proves injections and reads nothing out of the database."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from purple.domain.targets import authority
from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions
from purple.toolkit.web import pinned_url

# S, stacked queries, and Q, inline ones, may change data: they stay out
Technique = Literal["B", "E", "U", "T"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\[\]-]*$", max_length=100)]


class Options(ToolOptions):
    """What a profile may choose."""

    techniques: tuple[Technique, ...] = Field(default=("B", "E", "U"), min_length=1)
    """Boolean, error, union and time."""
    level: int = Field(default=1, ge=1, le=5)
    risk: Literal[1, 2] = 1
    """3 adds OR to UPDATE statements and is not offered."""
    parameters: tuple[Name, ...] = ()
    """Only these; all of the URL where none is named."""
    crawl: int = Field(default=2, ge=0, le=5)
    """How many links deep it looks for parameters, where the URL itself has none."""
    rate: int = Field(default=20, ge=1, le=1000)
    """Requests a second, at most; one at a time."""
    timeout_s: int = Field(default=10, ge=1, le=120)
    """For each request."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list. What it prints is the result: its JSON is empty both for a target that holds and for nobody.

    A list of targets, be it of one, makes it say which target it speaks of, and whether it could test it. Its own time
    limit is not used: nothing would tell that it was reached.
    """
    chosen = Options.model_validate(options.model_dump())
    url = pinned_url(job.target)
    parts = urlsplit(url)
    arguments = ["-m", "targets.txt", "--batch", f"--technique={''.join(dict.fromkeys(chosen.techniques))}"]
    arguments += [f"--level={chosen.level}", f"--risk={chosen.risk}", "--threads=1", f"--delay={1 / chosen.rate:.3f}"]
    arguments += [f"--timeout={chosen.timeout_s}", "--retries=1", "--ignore-redirects", "--skip-waf"]
    arguments += ["--answers=exploit=N,skip further=N,keep testing=Y,follow=N", "--disable-coloring", "--flush-session"]
    if job.target.address != job.target.host:
        arguments.append(f"--host={authority(job.target.host, parts.port, parts.scheme)}")
    if chosen.parameters:
        arguments += ["-p", ",".join(chosen.parameters)]
    if not parts.query and chosen.crawl:
        arguments += [f"--crawl={chosen.crawl}", "--forms"]
    return Command((*arguments, "--output-dir=found"), "stdout", files={"targets.txt": f"{url}\n"})
