"""Getting a publication: from its URL through the guard of outgoing requests, or out of a folder.

What comes is kept in a temporary file first, with its digest, so that nothing is read of what breaks off.
"""

import asyncio
import hashlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from purple.domain.clock import Clock, Resolver
from purple.domain.enrichment import About, Fact
from purple.domain.errors import InvalidInputError
from purple.enrichment.downloads import Download
from purple.enrichment.unpacking import unpacked

Parse = Callable[[BinaryIO, int], Iterator[tuple[str, Fact] | About]]
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Published:
    """Where a publication is, and how it is read."""

    urls: tuple[str, ...]
    """`{year}` stands for each year from `years_from` to the present one."""
    files: str
    """What its files are called in a folder."""
    parse: Parse
    least: int
    """With fewer facts it is not the whole."""
    years_from: int = 0
    meta: bool = False
    """Whether beside each file lies one that ends in `.meta` and has the digest of what is packed in it (NVD)."""


@dataclass(slots=True)
class Came:
    """See `domain.enrichment.Reading`."""

    files: Sequence[Path]
    source: str
    sha256: str
    parse: Parse
    limit: int
    told: list[About] = field(default_factory=list)

    async def batches(self) -> AsyncIterator[Sequence[tuple[str, Fact]]]:
        """Parsed in a thread, a batch at a time."""
        facts = self._facts()
        while batch := await asyncio.to_thread(lambda: list(itertools.islice(facts, BATCH))):
            yield batch

    def _facts(self) -> Iterator[tuple[str, Fact]]:
        for file in self.files:
            with file.open("rb") as packed, unpacked(packed) as stream:
                for each in self.parse(stream, self.limit):
                    if isinstance(each, About):
                        self.told.append(each)
                    else:
                        yield each

    def about(self) -> About:
        """Of several files the newest date and the sum of what they count."""
        dates = [each.published_at for each in self.told if each.published_at]
        counts = [each.count for each in self.told]
        total = sum(each or 0 for each in counts) if counts and None not in counts else None
        return About(self.told[-1].version if self.told else "", max(dates, default=None), total)


class Outlet:
    """See `domain.enrichment.Publisher`."""

    def __init__(
        self,
        published: Published,
        resolver: Resolver,
        clock: Clock,
        allow_networks: Sequence[str] = (),
        limit_mb: int = 2_048,
        url: str = "",
    ) -> None:
        self.least = published.least
        self._published = published
        self._clock = clock
        self._urls = (url,) if url else published.urls
        self._limit = limit_mb * 1024**2
        self._download = Download(resolver, allow_networks, self._limit)

    @asynccontextmanager
    async def fetch(self, folder: Path | None) -> AsyncIterator[Came | None]:
        """Whole files only."""
        if folder is not None:
            files, metas = await asyncio.to_thread(self._in, folder)
            yield await self._came(files, metas, ", ".join(each.name for each in files)) if files else None
            return
        with tempfile.TemporaryDirectory(prefix="purple-data-") as scratch:
            files, metas = [], {}
            for number, url in enumerate(self._years()):
                file = Path(scratch) / str(number)
                await self._download.to_file(url, file)
                files.append(file)
                if self._published.meta:
                    metas[file] = await self._download.text(_meta_url(url))
            yield await self._came(files, metas, self._urls[0])

    def _in(self, folder: Path) -> tuple[list[Path], dict[Path, str]]:
        files = sorted(each for each in folder.glob(self._published.files) if each.suffix != ".meta")
        return files, {file: _meta(file) for file in files} if self._published.meta else {}

    def _years(self) -> Iterator[str]:
        for url in self._urls:
            if "{year}" in url:
                present: datetime = self._clock.now()
                yield from (url.format(year=year) for year in range(self._published.years_from, present.year + 1))
            else:
                yield url

    async def _came(self, files: Sequence[Path], metas: dict[Path, str], source: str) -> Came:
        digest = await asyncio.to_thread(_checked, files, metas, self._limit)
        return Came(files, source[:500], digest, self._published.parse, self._limit)


def _checked(files: Sequence[Path], metas: dict[Path, str], limit: int) -> str:
    """The digest of all files together.

    Raises:
        InvalidInputError: one is not what its checksum says, or too large.
    """
    together = hashlib.sha256()
    for file in files:
        if file.stat().st_size > limit:
            raise InvalidInputError(
                f"{file.name} is larger than {limit} bytes",
                field="data",
                remedy="raise PURPLE_DATA__MAX_MB if it is right",
            )
        with file.open("rb") as stream:
            for chunk in iter(lambda: stream.read(1024**2), b""):
                together.update(chunk)
        if meta := metas.get(file):
            _held(file, meta, limit)
    return together.hexdigest()


def _held(file: Path, meta: str, limit: int) -> None:
    """Hold what is packed in a file against the line `sha256:` of its `.meta`."""
    told = next((line[7:].strip().lower() for line in meta.splitlines() if line.lower().startswith("sha256:")), "")
    inner, size = hashlib.sha256(), 0
    with file.open("rb") as packed, unpacked(packed) as stream:
        while size <= limit and (chunk := stream.read(1024**2)):
            inner.update(chunk)
            size += len(chunk)
    if inner.hexdigest() != told:
        raise InvalidInputError(
            f"{file.name} is not what its .meta says", field="sha256", value=inner.hexdigest(), remedy="get it again"
        )


def _meta(file: Path) -> str:
    """The `.meta` beside a file, `nvdcve-2.0-2024.meta` for `nvdcve-2.0-2024.json.gz`; empty where there is none."""
    beside = file.with_name(f"{file.name.partition('.json')[0]}.meta")
    return beside.read_text("utf-8", "replace")[:10_000] if beside.is_file() else ""


def _meta_url(url: str) -> str:
    return f"{url.partition('.json')[0]}.meta"
