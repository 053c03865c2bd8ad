"""What all contracts share."""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A value that crosses the wire between processes, perhaps of two versions.

    Fields are only added, with a default; what a newer sender adds, an older reader ignores. The lock file holds
    every schema, so that a change is seen in review.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
