"""What a campaign's workflow, its batches and their steps say to each other."""

from datetime import datetime

from purple.contracts.base import Contract
from purple.contracts.campaigns import CampaignRef, ScanStep, Skip
from purple.domain.campaigns import Phase


class BatchInput(Contract):
    """What a child workflow runs: a batch of scans, with its share of the campaign's slots."""

    ref: CampaignRef
    phase: Phase
    number: int
    parallel: int
    retries: int
    paused: bool = False
    done: int = 0
    """Scans that ended in earlier runs of this workflow."""
    windows: tuple[str, ...] = ()
    """As in `Begun`."""
    until: datetime | None = None
    """As in `Begun`."""


class BatchRef(Contract):
    """Which batch."""

    ref: CampaignRef
    phase: Phase
    number: int


class BatchSteps(Contract):
    """The next scans of a batch that have not ended; none at its end."""

    scans: tuple[ScanStep, ...] = ()
    parallel: int = 0
    """So many tools of the campaign run at once at most; 0 where older steps do not say."""


class BatchEnded(Contract):
    """A child workflow's result."""

    done: int
    refused: str = ""
    """Why the authorisation no longer holds; empty when it does."""


class Hold(Contract):
    """A parent's word to a child: how many slots it has, and whether it starts anything."""

    parallel: int
    paused: bool = False


class Look(Contract):
    """Ask what people ordered: a word that came to a child need not be its parent's."""

    ref: CampaignRef
    word: Skip | None = None


class Looked(Contract):
    """What the database says."""

    parallel: int
    """So many tools of the campaign run at once at most."""
    reason: str = ""
    """Why the scans of the word run no more; empty where nobody ordered that."""
