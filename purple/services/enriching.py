"""Bringing in what others publish: whole, checked, and kept with its date and digest."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog

from purple.domain.clock import Clock
from purple.domain.enrichment import Brought, Dataset, Edition, Publisher, Reading, Shelf
from purple.domain.errors import ConflictError, InvalidInputError, PurpleError
from purple.domain.ports import Work

LEAST_KEPT = 0.5
"""An edition with fewer than half the facts of the one before is taken for damaged."""
RETRY = timedelta(hours=1)
"""A publisher that is away is asked again after so long."""
DAILY = (Dataset.KEV, Dataset.EPSS)
"""What changes every day, and is brought in by schedule."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Kept:
    """A dataset, and what is kept of it."""

    dataset: Dataset
    edition: Edition | None
    now: datetime

    @property
    def age_days(self) -> int | None:
        """Whole days since it was published, or brought in where it does not say when."""
        return None if self.edition is None else max(0, (self.now - self.edition.dated).days)

    @property
    def age(self) -> str:
        """The same in words."""
        days = self.age_days
        return "not there" if days is None else "of today" if not days else f"{days} day{'s' * (days > 1)} old"


class Publications:
    """What is kept, as everybody may read it."""

    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    async def kept(self, organisation_id: UUID) -> tuple[Kept, ...]:
        """Each dataset with its age, whether it is there or not."""
        async with self._work(organisation_id) as uow:
            known = {each.dataset: each for each in await uow.library.editions()}
        now = self._clock.now()
        return tuple(Kept(each, known.get(each), now) for each in Dataset)


class Enriching:
    """One edition is one transaction; one that fails a check changes nothing."""

    def __init__(self, shelf: Shelf, publishers: Mapping[Dataset, Publisher], clock: Clock, shipped: Path) -> None:
        self._shelf = shelf
        self._publishers = publishers
        self._clock = clock
        self._shipped = shipped
        self._tried: dict[Dataset, datetime] = {}
        self._ready = False
        """Whether this process has brought in what is shipped."""

    async def update(
        self, datasets: Collection[Dataset], folder: Path | None = None
    ) -> AsyncIterator[tuple[Dataset, Brought | PurpleError]]:
        """Bring in these datasets from where they are published, or those of them that a folder holds.

        Each is tried, and told as soon as it is in, whatever becomes of the others: with what bringing it in did, or
        with why it stays as it is (a server is away, or what came is malformed, too large, not what it says it is, or
        far smaller than the edition before).

        Raises:
            InvalidInputError: the folder holds none of them.
        """
        found = False
        for dataset in datasets:
            try:
                came: Brought | PurpleError | None = await self._bring(dataset, folder)
            except PurpleError as error:
                came = error
            if came is not None:
                found = True
                yield dataset, came
        if not found and folder is not None:
            raise InvalidInputError(
                "the folder holds none of these publications",
                field="from",
                value=folder,
                remedy="name the files as their publishers do, see docs/risk.md",
            )

    async def ship(self) -> tuple[Brought, ...]:
        """Bring in what came with this release where nothing is kept yet."""
        kept = {each.dataset for each in await self._shelf.editions()}
        missing = [dataset for dataset in Dataset if dataset not in kept]
        return tuple([each for dataset in missing if (each := await self._bring(dataset, self._shipped))])

    async def keep(self, every: timedelta) -> None:
        """The relay's round: what is shipped, and what is due of that which changes daily; 0 leaves that to people.

        Raises:
            UnavailableError: PostgreSQL is away.
        """
        if not self._ready:
            await self.ship()
            self._ready = True
        if not every:
            return
        known = {each.dataset: each for each in await self._shelf.editions()}
        for dataset in DAILY:
            if self._due(dataset, known.get(dataset), every):
                self._tried[dataset] = self._clock.now()
                async for _, came in self.update([dataset]):
                    if isinstance(came, PurpleError):
                        log.warning("data stays as it is", dataset=dataset, reason=came.line())

    def _due(self, dataset: Dataset, edition: Edition | None, every: timedelta) -> bool:
        now = self._clock.now()
        if (tried := self._tried.get(dataset)) is not None and now - tried < min(every, RETRY):
            return False
        return edition is None or now - edition.brought_at >= every

    async def _bring(self, dataset: Dataset, folder: Path | None) -> Brought | None:
        present = next((each for each in await self._shelf.editions() if each.dataset is dataset), None)
        async with self._publishers[dataset].fetch(folder) as reading:
            if reading is None:
                return None
            if present is not None and present.sha256 == reading.sha256:
                return Brought(await self._shelf.seen(dataset, self._clock.now()))
            return await self._shelf.put(
                dataset, reading.batches(), lambda count: self._edition(dataset, reading, count, present)
            )

    def _edition(self, dataset: Dataset, reading: Reading, count: int, present: Edition | None) -> Edition:
        about = reading.about()
        least = self._publishers[dataset].least
        if about.count is not None and about.count != count:
            raise InvalidInputError(
                f"{dataset} says that it has {about.count} entries, and has {count}",
                field="count", value=count, remedy="get it again",
            )  # fmt: skip
        if count < least:
            raise InvalidInputError(
                f"{dataset} has {count} entries, and the whole has at least {least}",
                field="count", value=count, remedy="get it again",
            )  # fmt: skip
        if present is not None and count < LEAST_KEPT * present.facts:
            raise ConflictError(
                f"{dataset} has {count} entries, and the edition kept has {present.facts}",
                field="count", value=count, remedy="see whether it is the whole publication",
            )  # fmt: skip
        edition = Edition(
            dataset, about.version, about.published_at, self._clock.now(), reading.source, reading.sha256, count
        )
        if present is not None and edition.published_at and edition.dated < present.dated:
            raise ConflictError(
                f"{dataset} is of {edition.dated:%Y-%m-%d}, and the edition kept of {present.dated:%Y-%m-%d}",
                field="published_at", value=edition.dated, remedy="bring a newer one",
            )  # fmt: skip
        return edition
