"""How WhatWeb is run: one request to the checked address, with the target's name in the Host header."""

from urllib.parse import urlsplit, urlunsplit

from pydantic import Field

from purple.domain.targets import authority
from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions


class Options(ToolOptions):
    """What a profile may choose."""

    timeout_s: int = Field(default=15, ge=1, le=120)
    """To connect and to read, each."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list. A redirect may lead out of the scope, so none is followed."""
    chosen = Options.model_validate(options.model_dump())
    parts = urlsplit(job.target.url)
    pinned = parts._replace(netloc=authority(job.target.address, parts.port))
    arguments = ["--color=never", "--quiet", "--aggression=1", "--follow-redirect=never", "--max-threads=1"]
    arguments += [f"--open-timeout={chosen.timeout_s}", f"--read-timeout={chosen.timeout_s}"]
    if job.target.address != job.target.host:
        arguments += ["--header", f"Host: {authority(job.target.host, parts.port, parts.scheme)}"]
    return Command((*arguments, "--log-json=whatweb.json", urlunsplit(pinned)), "whatweb.json")
