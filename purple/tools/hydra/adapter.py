"""How Hydra is run: a short list of pairs, each tried once, few at a time."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from purple.domain.errors import InvalidInputError
from purple.domain.targets import authority
from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions
from purple.toolkit.words import words

Pair = Annotated[str, StringConstraints(pattern=r"^[^:\x00-\x1f\x7f]{1,100}:[^\x00-\x1f\x7f]{0,100}$")]
Service = Literal[
    "ftp", "ftps", "imap", "imaps", "mongodb", "mssql", "mysql", "pop3", "pop3s", "postgres", "rdp", "smb", "smtp",
    "ssh", "telnet",
]  # fmt: skip
_USUAL: dict[int, Service] = {
    21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 110: "pop3", 143: "imap", 445: "smb", 587: "smtp", 990: "ftps",
    993: "imaps", 995: "pop3s", 1433: "mssql", 3306: "mysql", 3389: "rdp", 5432: "postgres", 27017: "mongodb",
}  # fmt: skip


class Options(ToolOptions):
    """What a profile may choose."""

    service: Service | None = None
    """What listens there; by default what usually does on that port."""
    logins: tuple[Pair, ...] = Field(default=(), max_length=1000)
    """`user:password`; by default a list of our own of 20 well-known ones."""
    max_attempts: int = Field(default=30, ge=1, le=1000)
    tasks: int = Field(default=4, ge=1, le=16)
    """Tries at once."""
    rate: int | None = Field(default=None, ge=1, le=1000)
    """Tries a second, at most. Hydra counts whole seconds, so any number means one try a second, one at a time."""
    timeout_s: int = Field(default=10, ge=1, le=60)
    """For each answer."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list. The first login that works ends it: one is enough to know."""
    chosen = Options.model_validate(options.model_dump())
    service = chosen.service or _USUAL.get(job.target.port)
    if service is None:
        raise InvalidInputError(
            f"what listens on port {job.target.port} is not known",
            field="options.hydra.service",
            value=job.target.port,
            remedy="name the service in the option of that name",
        )
    pairs = (chosen.logins or tuple(words("logins").split()))[: chosen.max_attempts]
    arguments = ["-C", "logins.txt", "-I", "-f", "-w", str(chosen.timeout_s), "-b", "json", "-o", "hydra.json"]
    # -c holds the pace over all tasks and allows one
    arguments += ["-c", "1"] if chosen.rate else ["-t", str(chosen.tasks)]
    if ":" in job.target.address:
        arguments.append("-6")
    if job.target.port:
        arguments += ["-s", str(job.target.port)]
    host = authority(job.target.address, None)
    return Command((*arguments, f"{service}://{host}"), "hydra.json", files={"logins.txt": "\n".join(pairs) + "\n"})
