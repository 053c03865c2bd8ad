"""How Nikto is run: on the checked address, with the target's name as the virtual host, sending nothing home."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from purple.domain.targets import authority
from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions
from purple.toolkit.web import pinned_url

# 6, denial of service, stays out
Tuning = Literal["0", "1", "2", "3", "4", "5", "7", "8", "9", "a", "b", "c", "d", "e"]


class Options(ToolOptions):
    """What a profile may choose."""

    tuning: tuple[Tuning, ...] = ("1", "2", "3", "b")
    """Kinds of test by Nikto's own letters: interesting files, misconfiguration, disclosure, software."""
    rate: int = Field(default=20, ge=1, le=1000)
    """Requests a second, at most."""
    timeout_s: int = Field(default=10, ge=1, le=120)


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list. Nikto's own time limit is not used: its report would not say that it was reached."""
    chosen = Options.model_validate(options.model_dump())
    parts = urlsplit(pinned_url(job.target, folder=True))
    secure = parts.scheme == "https"
    arguments = ["-host", job.target.address, "-port", str(parts.port or (443 if secure else 80))]
    arguments += ["-ssl" if secure else "-nossl", "-nointeractive", "-ask", "no", "-nolookup"]
    arguments += ["-Pause", f"{1 / chosen.rate:.3f}", "-timeout", str(chosen.timeout_s)]
    if job.target.host != job.target.address:
        arguments += ["-vhost", authority(job.target.host, parts.port, parts.scheme)]
    if chosen.tuning:
        arguments += ["-Tuning", "".join(chosen.tuning)]
    if root := parts.path.rstrip("/"):
        arguments += ["-root", root]
    return Command((*arguments, "-Format", "json", "-output", "nikto.json"), "nikto.json")
