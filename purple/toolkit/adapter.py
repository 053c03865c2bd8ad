"""What a tool's folder offers: `adapter.py` with options and a command line, `parser.py` with `parse`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field

from purple.domain.errors import InvalidInputError
from purple.domain.observations import Observation
from purple.domain.tools import ToolJob

CODE = "repository"
"""Folder in the work folder that holds the files of a target that is a repository."""
HISTORY = "history.git"
"""Folder beside it that holds its commits. A tool whose options have a `history` is given that many, 0 for all."""


class ToolOptions(BaseModel):
    """Base of a tool's option model: nothing is accepted that it does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ImportOptions(ToolOptions):
    """What every import is told."""

    artifact: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the file in the object store."""
    series: str = Field(default="", max_length=200)
    """What later imports continue, such as `bandit on main`: a flaw that a complete later import of the same series
    no longer holds is fixed. Without one, an import closes nothing."""
    create_targets: bool = False
    """Whether hosts that are not in the register are registered where the authorisation covers them."""


O_contra = TypeVar("O_contra", bound=ToolOptions, contravariant=True)


@dataclass(frozen=True, slots=True)
class Command:
    """How one run is started: the arguments after the program, and the file that holds its result."""

    arguments: tuple[str, ...]
    output: str
    """Relative to the work folder; `stdout` where the tool prints its result."""
    files: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """What the tool reads, by plain file name: written to the work folder before it starts."""
    environment: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """Variables beside those that every tool is given."""
    keeps: tuple[Path, ...] = field(default=(), kw_only=True)
    """Folders of its own that it writes to beside the work folder, such as a database that it updates."""


class ToolAdapter(Protocol):
    """The module `adapter.py`."""

    Options: type[ToolOptions]

    def command(self, job: ToolJob, options: ToolOptions) -> Command:
        """The command line of one run; every value comes from `options`, the checked target or its fetched code."""
        ...


class ToolUndo(Protocol):
    """What the adapter of a tool that changes something offers beside."""

    def undo(self, job: ToolJob, options: ToolOptions) -> Command:
        """The command line that takes back what the run of this job changed, if it did; it may run twice."""
        ...


class ToolParser(Protocol):
    """The module `parser.py`."""

    def parse(self, stream: BinaryIO) -> Iterator[Observation]:
        """Read lazily; see DESIGN.

        A parser that has options of its own offers `configured(options)` beside it, which gives such a function.

        Raises:
            ParseError: after everything that could be read has been yielded.
        """
        ...


def command_of(adapter: ToolAdapter, job: ToolJob, *, undo: bool = False) -> Command:
    """The command line of one run or of its undo, made of values that can be nothing but values.

    Raises:
        InvalidInputError: a part of the target could be read as a flag, or a value holds a control character; or the
            adapter does not take such a target.
    """
    for name in ("host", "address", "url"):
        text = getattr(job.target, name)
        if text.startswith("-") or not text.isprintable():
            raise InvalidInputError(
                f"{name} {text!r} begins like a flag or holds control characters",
                field=f"target.{name}",
                value=text,
                remedy="write the target down again as a plain name, address or URL",
            )
    options = adapter.Options.model_validate(dict(job.options))
    command = cast("ToolUndo", adapter).undo(job, options) if undo else adapter.command(job, options)
    for argument in command.arguments:
        if not argument.isprintable():
            raise InvalidInputError(
                f"an argument for {job.tool} holds control characters",
                field=f"options.{job.tool}",
                value=argument,
                remedy="leave line breaks and control characters out of its options",
            )
    return command
