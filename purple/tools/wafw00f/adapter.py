"""How wafw00f is run: some ten requests to the checked address, with the target's name in the Host header."""

from pydantic import Field

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions
from purple.toolkit.web import host_header, pinned_url


class Options(ToolOptions):
    """What a profile may choose."""

    timeout_s: int = Field(default=7, ge=1, le=60)
    """For each request."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list. A redirect may lead out of the scope, so none is followed.

    wafw00f drops headers with a second colon and takes those of a file in place of its own, so the file holds the
    host without its port, and a browser's headers.
    """
    chosen = Options.model_validate(options.model_dump())
    arguments = ["--findall", "--noredirect", "--no-colors", "--timeout", str(chosen.timeout_s)]
    files = {}
    if host_header(job.target):
        files["headers.txt"] = (
            f"Host: {job.target.host}\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0\n"
            "Accept: text/html,application/xhtml+xml,*/*;q=0.8\nAccept-Language: en-US,en;q=0.5\n"
        )
        arguments += ["--headers", "headers.txt"]
    return Command((*arguments, "--output", "wafw00f.json", "--", pinned_url(job.target)), "wafw00f.json", files=files)
