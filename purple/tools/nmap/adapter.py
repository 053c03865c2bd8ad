"""How nmap is run: TCP connect, so that it needs no privileges, and no name is ever resolved."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions

Ports = Annotated[str, StringConstraints(pattern=r"^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$", max_length=2000)]


class Options(ToolOptions):
    """What a profile may choose."""

    ports: Ports | None = None
    """`80,443,8000-8100`; by default the target's own port, else the most common ones."""
    top_ports: int = Field(default=1000, ge=1, le=65535)
    version_intensity: int = Field(default=2, ge=0, le=9)
    timing: Literal[2, 3, 4] = 4
    rate: int | None = Field(default=None, ge=1, le=100_000)
    """Packets a second, at most; without it nmap follows what the network bears. Scripts are not held by it."""
    scripts: Literal["none", "default"] = "none"
    """`default` are nmap's own safe ones, and whether Redis answers without a password. Scripts that send what they
    find to third parties are never run."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list."""
    chosen = Options.model_validate(options.model_dump())
    arguments = ["-sT", "-sV", "--version-intensity", str(chosen.version_intensity), "-n", "--noninteractive"]
    arguments += [f"-T{chosen.timing}", "--host-timeout", f"{max(30, int(job.timeout_s * 0.9))}s"]
    if chosen.rate:
        arguments += ["--max-rate", str(chosen.rate)]
    if "/" not in job.target.address:
        arguments.append("-Pn")
    if chosen.scripts == "default":
        arguments += ["--script", "default and safe and not external,redis-info"]
    if chosen.ports:
        arguments += ["-p", chosen.ports]
    elif job.target.port:
        arguments += ["-p", str(job.target.port)]
    else:
        arguments += ["--top-ports", str(chosen.top_ports)]
    if ":" in job.target.address:
        arguments.append("-6")
    return Command((*arguments, "-oX", "nmap.xml", "--", job.target.address), "nmap.xml")
