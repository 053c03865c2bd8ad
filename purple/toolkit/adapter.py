"""What a tool's folder offers: `adapter.py` with options and a command line, `parser.py` with `parse`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from purple.domain.observations import Observation
from purple.domain.tools import ToolJob


class ToolOptions(BaseModel):
    """Base of a tool's option model: nothing is accepted that it does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class ToolUndo(Protocol):
    """What the adapter of a tool that changes something offers beside."""

    def undo(self, job: ToolJob, options: ToolOptions) -> Command:
        """The command line that takes back what the run of this job changed, if it did; it may run twice."""
        ...


class ToolParser(Protocol):
    """The module `parser.py`."""

    def parse(self, stream: BinaryIO) -> Iterator[Observation]:
        """Read lazily; see DESIGN.

        Raises:
            ParseError: after everything that could be read has been yielded.
        """
        ...
