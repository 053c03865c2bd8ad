"""What an import is told; no program is run."""

from pydantic import Field

from purple.toolkit.adapter import ToolOptions


class Options(ToolOptions):
    """What a profile or a user may choose."""

    artifact: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the file in the object store."""
    series: str = Field(default="", max_length=200)
    """What later imports continue, such as `bandit on main`: a flaw that a complete later import of the same series
    no longer holds is fixed. Without one, an import closes nothing."""
