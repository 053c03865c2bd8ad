"""How Wapiti is run: on the checked address, with the target's name in the Host header."""

from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field

from purple.domain.targets import authority
from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions

# modules that ask third parties or download their rules stay out
Module = Literal[
    "backup", "cookieflags", "crlf", "csp", "csrf", "exec", "file", "htaccess", "http_headers", "ldap", "methods",
    "permanentxss", "redirect", "shellshock", "sql", "ssl", "timesql", "upload", "xss", "xxe",
]  # fmt: skip
DEFAULT: tuple[Module, ...] = (
    "backup", "cookieflags", "csp", "exec", "file", "http_headers", "permanentxss", "redirect", "sql", "xss",
)  # fmt: skip


class Options(ToolOptions):
    """What a profile may choose."""

    modules: tuple[Module, ...] = DEFAULT
    scope: Literal["page", "folder", "domain"] = "folder"
    max_scan_s: int = Field(default=600, ge=10, le=86_400)
    max_attack_s: int = Field(default=120, ge=5, le=86_400)
    """For one module."""
    depth: int = Field(default=10, ge=0, le=40)
    max_links_per_page: int = Field(default=100, ge=1, le=10_000)


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list."""
    chosen = Options.model_validate(options.model_dump())
    parts = urlsplit(job.target.url)
    pinned = parts._replace(netloc=authority(job.target.address, parts.port))
    arguments = ["-u", urlunsplit(pinned), "--scope", chosen.scope, "-m", ",".join(chosen.modules)]
    if job.target.address != job.target.host:
        arguments += ["-H", f"Host: {authority(job.target.host, parts.port, parts.scheme)}"]
    arguments += ["--max-scan-time", str(chosen.max_scan_s), "--max-attack-time", str(chosen.max_attack_s)]
    arguments += ["-d", str(chosen.depth), "--max-links-per-page", str(chosen.max_links_per_page)]
    arguments += ["--flush-session", "--no-bugreport", "--store-session", "session", "--store-config", "config"]
    return Command((*arguments, "-f", "json", "-o", "wapiti.json"), "wapiti.json")
