"""How testssl.sh is run: a bounded set of checks on the checked address, with the target's name for SNI."""

from typing import Literal

from pydantic import Field

from purple.domain.targets import authority
from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions

Check = Literal[
    "protocols", "standard", "server-defaults", "server-preference", "headers", "heartbleed", "ccs-injection",
    "ticketbleed", "robot", "renegotiation", "compression", "breach", "poodle", "tls-fallback", "sweet32", "beast",
    "lucky13", "freak", "logjam", "drown", "pfs", "rc4",
]  # fmt: skip
DEFAULT: tuple[Check, ...] = (
    "protocols", "standard", "server-defaults", "heartbleed", "ccs-injection", "ticketbleed", "robot", "renegotiation",
    "compression", "poodle", "sweet32", "freak", "logjam", "drown", "rc4",
)  # fmt: skip


class Options(ToolOptions):
    """What a profile may choose."""

    checks: tuple[Check, ...] = Field(default=DEFAULT, min_length=1)
    """All of them take minutes."""
    timeout_s: int = Field(default=10, ge=1, le=60)
    """To connect, and for each handshake that OpenSSL makes."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list; no name is ever looked up."""
    chosen = Options.model_validate(options.model_dump())
    arguments = ["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", job.target.address]
    arguments += ["--connect-timeout", str(chosen.timeout_s), "--openssl-timeout", str(chosen.timeout_s)]
    if ":" in job.target.address:
        arguments.append("-6")
    arguments += [_FLAGS[each] for each in dict.fromkeys(chosen.checks)]
    where = authority(job.target.host, job.target.port or 443)
    return Command((*arguments, "--jsonfile", "testssl.json", where), "testssl.json")


_FLAGS: dict[Check, str] = {  # by names that 3.0 and 3.2 both know
    "protocols": "--protocols",
    "standard": "--std",
    "server-defaults": "--server-defaults",
    "server-preference": "--server-preference",
    "headers": "--headers",
    "heartbleed": "--heartbleed",
    "ccs-injection": "--ccs-injection",
    "ticketbleed": "--ticketbleed",
    "robot": "--robot",
    "renegotiation": "--renegotiation",
    "compression": "--compression",
    "breach": "--breach",
    "poodle": "--poodle",
    "tls-fallback": "--tls-fallback",
    "sweet32": "--sweet32",
    "beast": "--beast",
    "lucky13": "--lucky13",
    "freak": "--freak",
    "logjam": "--logjam",
    "drown": "--drown",
    "pfs": "--fs",
    "rc4": "--rc4",
}
