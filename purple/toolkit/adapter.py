"""What a tool's folder offers: `adapter.py` with options and a command line, `parser.py` with `parse`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from purple.domain.observations import Observation
from purple.domain.tools import ToolJob


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


class ToolAdapter(Protocol):
    """The module `adapter.py`."""

    Options: type[ToolOptions]

    def command(self, job: ToolJob, options: ToolOptions) -> Command:
        """The command line of one run; every value comes from `options` or the checked target."""
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
