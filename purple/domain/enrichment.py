"""What the world knows of flaws: data that others publish, brought in whole and kept with its date and digest.

It belongs to no organisation, and is the same for all of them.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


class Dataset(StrEnum):
    """One publication. What a fact of it holds is said where it is parsed, in `purple.enrichment`."""

    KEV = "kev"
    """Vulnerabilities that are known to be exploited (CISA), by CVE."""
    EPSS = "epss"
    """How probable exploitation within 30 days is (FIRST), by CVE."""
    CVE = "cve"
    """CVSS vector, CWE and whether an exploit is published (NVD), by CVE."""
    CWE = "cwe"
    """Weaknesses (MITRE), by `CWE-79`."""
    CAPEC = "capec"
    """Attack patterns (MITRE), by `CAPEC-63`."""
    ATTACK = "attack"
    """Techniques of ATT&CK (MITRE), by `T1059.007`."""


Fact = Mapping[str, Any]
"""Small JSON."""


@dataclass(frozen=True, slots=True)
class About:
    """What a publication says of itself."""

    version: str = ""
    published_at: datetime | None = None
    count: int | None = None
    """How many facts it says it has, where it says so."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A dataset as it is kept."""

    dataset: Dataset
    version: str
    published_at: datetime | None
    brought_at: datetime
    """When it was last brought in, or found to be still the newest."""
    source: str
    """URL or file name."""
    sha256: str
    """Of the bytes that came, of several files one after the other."""
    facts: int
    revision: int = 0
    """Counts up over all datasets; each fact carries that of its last change."""

    @property
    def dated(self) -> datetime:
        """How old it is: from its publication where that is known."""
        return self.published_at or self.brought_at


@dataclass(frozen=True, slots=True)
class Brought:
    """What bringing in an edition did."""

    edition: Edition
    added: int = 0
    changed: int = 0
    removed: int = 0

    @property
    def moved(self) -> int:
        """Facts that are not what they were."""
        return self.added + self.changed + self.removed


class Reading(Protocol):
    """A publication that has come, and is read once."""

    sha256: str
    source: str

    def batches(self) -> AsyncIterator[Sequence[tuple[str, Fact]]]:
        """Its facts with their keys, some at a time.

        Raises:
            ParseError: it is malformed or breaks off.
        """
        ...

    def about(self) -> About:
        """What it said of itself; known when all was read."""
        ...


class Publisher(Protocol):
    """Where one dataset comes from."""

    least: int
    """With fewer facts it is not the whole publication."""

    def fetch(self, folder: Path | None) -> AbstractAsyncContextManager[Reading | None]:
        """Get the publication from its URL or out of a folder; None where the folder does not hold it.

        Raises:
            UnavailableError: the server is away, or refuses.
            InvalidInputError: larger than allowed, not what its checksum says, or an address that may not be asked.
        """
        ...


class Shelf(Protocol):
    """Where editions are put; the one place that writes them."""

    async def editions(self) -> tuple[Edition, ...]:
        """Those kept, by dataset."""
        ...

    async def put(
        self,
        dataset: Dataset,
        batches: AsyncIterator[Sequence[tuple[str, Fact]]],
        finish: Callable[[int], Edition],
    ) -> Brought:
        """Replace a dataset as a whole, in one transaction; facts that stay as they are keep their revision.

        Args:
            dataset: which.
            batches: all of its facts; of two with one key the later counts.
            finish: told how many there are, says what the edition is, or raises: then everything stays as it was.
        """
        ...

    async def seen(self, dataset: Dataset, at: datetime) -> Edition:
        """Note that the edition kept is still the newest."""
        ...


class Library(Protocol):
    """What is kept, as an organisation reads it."""

    async def editions(self) -> tuple[Edition, ...]:
        """Those kept, by dataset."""
        ...

    async def facts(self, datasets: Collection[Dataset], keys: Collection[str]) -> Mapping[Dataset, Mapping[str, Fact]]:
        """What these datasets know of these keys, in one statement; each dataset asked for is there."""
        ...
