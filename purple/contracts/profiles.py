"""Profiles: a pipeline as YAML."""

from typing import Any, Literal

from pydantic import Field

from purple.contracts.base import Contract
from purple.domain.tools import Intrusiveness


class ProfileStep(Contract, extra="forbid"):
    """One tool of a pipeline."""

    tool: str
    when: Literal["always", "http", "tls", "ssh", "ftp", "redis", "repository", "api"] = "always"
    """What recon must have found: `http` runs it once a web application, `tls` once a TLS service, `ssh`, `ftp` and
    `redis` once a service that speaks it. Or what the target must be: `repository`, `api`."""
    options: dict[str, Any] = Field(default_factory=dict)
    approval: bool = False
    """Whether it runs only once a second person has approved it."""


class Limits(Contract, extra="forbid"):
    """How much at once, how often again."""

    parallel: int = Field(default=2, ge=1, le=64)
    retries: int = Field(default=1, ge=0, le=5)
    approve_from: Intrusiveness | None = None
    """Tools that are so intrusive, or more, run only once a second person has approved them."""
    approve_within_s: int = Field(default=86_400, ge=1, le=2_592_000)
    """A tool that nobody has approved then is skipped."""
    skip_recent: str = Field(default="", pattern=r"^([1-9]\d{0,3}[hd])?$")
    """Skip what a complete scan covers that is younger than this, such as `7d` or `12h`; empty scans everything."""


class Profile(Contract, extra="forbid"):
    """A pipeline."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")
    version: int = Field(ge=1)
    title: str
    recon: tuple[ProfileStep, ...] = ()
    tools: tuple[ProfileStep, ...] = ()
    limits: Limits = Limits()
