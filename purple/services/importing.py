"""Imports: a file is kept, recognised, and taken in by a campaign."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from purple.contracts.campaigns import CampaignInput
from purple.domain.campaigns import Campaign
from purple.domain.errors import InvalidInputError, TooLargeError
from purple.domain.imports import HEAD, MAX_IMPORT, ImportFormat
from purple.domain.objects import ObjectStore
from purple.domain.targets import Target
from purple.domain.tools import ToolCatalogue
from purple.services.campaigns import Campaigns
from purple.services.profiles import IMPORT
from purple.services.single import SingleScan
from purple.services.targets import Targets
from purple.services.workshop import scratch_folder


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the object store."""

    format: ImportFormat
    artifact: str
    """SHA-256."""
    size: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a file is to be taken in."""

    target: str = ""
    """What it is about, as the register writes it; by default the register is searched for what it names."""
    authorisation_id: UUID | None = None
    name: str = ""
    series: str = ""
    create_targets: bool = False
    options: dict[str, Any] | None = None
    """Of the format."""
    created_by: UUID | None = None


class Imports:
    """Takes in results of tools that ran elsewhere."""

    def __init__(
        self,
        tools: ToolCatalogue,
        objects: ObjectStore,
        targets: Targets,
        single: SingleScan,
        campaigns: Campaigns,
        scratch: Path,
    ) -> None:
        self._tools = tools
        self._objects = objects
        self._targets = targets
        self._single = single
        self._campaigns = campaigns
        self._scratch = scratch

    def formats(self) -> tuple[ImportFormat, ...]:
        """What can be taken in."""
        return self._tools.formats()

    async def receive(self, chunks: AsyncIterator[bytes], wanted: str | Callable[[], str] = "") -> Stored:
        """Keep a file as it comes in; never more than a chunk of it is in memory.

        Args:
            chunks: its bytes.
            wanted: its format, or what tells it once the file is here; by default it is recognised.

        Raises:
            InvalidInputError: it is empty, or of no known format.
            TooLargeError: it is larger than MAX_IMPORT.
            DiskFullError: there is no room for it.
        """
        async with scratch_folder(self._scratch, "upload") as work:
            path = work / "file"
            with await asyncio.to_thread(path.open, "xb") as file:
                size = 0
                async for chunk in chunks:
                    _check_size(size := size + len(chunk))
                    await asyncio.to_thread(file.write, chunk)
            return await self.keep(path, wanted() if callable(wanted) else wanted)

    async def keep(self, path: Path, wanted: str = "", progress: Callable[[int], None] | None = None) -> Stored:
        """Keep a file of this machine.

        Raises:
            InvalidInputError: it is empty, or of no known format.
            TooLargeError: it is larger than MAX_IMPORT.
        """
        size, head = await asyncio.to_thread(_begin, path)
        _check_size(size)
        if not size:
            raise InvalidInputError(
                "the file is empty", field="file", value=path.name, remedy="send what the tool wrote"
            )
        known = self._tools.recognise(head, wanted)
        return Stored(known, await self._objects.put_file(path, progress), size)

    async def start(self, organisation_id: UUID, stored: Stored, wanted: Wanted, key: str = "") -> Campaign:
        """Start a campaign that takes in a file.

        Raises:
            InvalidInputError: the target is none, or which authorisation holds is not clear.
            OutOfScopeError: no authorisation covers it.
        """
        target = await self._targets.ensure(organisation_id, wanted.target) if wanted.target else None
        options = {"artifact": stored.artifact, "series": wanted.series, "create_targets": wanted.create_targets}
        asked = CampaignInput(
            organisation_id=organisation_id,
            name=wanted.name or f"{stored.format.title}{f' of {target.name}' if target else ''}",
            profile=f"{IMPORT}{stored.format.name}",
            target_ids=(target.id,) if target else (),
            authorisation_id=wanted.authorisation_id or await self._covering(organisation_id, target),
            options={stored.format.tool: (wanted.options or {}) | options},
            created_by=wanted.created_by,
        )
        return await self._campaigns.start(asked, key)

    async def _covering(self, organisation_id: UUID, target: Target | None) -> UUID:
        if target is None:
            return (await self._single.only_valid(organisation_id)).id
        return (await self._single.covering(organisation_id, target)).id


def _begin(path: Path) -> tuple[int, bytes]:
    with path.open("rb") as file:
        return path.stat().st_size, file.read(HEAD)


def _check_size(size: int) -> None:
    if size > MAX_IMPORT:
        raise TooLargeError(
            f"the file is larger than {MAX_IMPORT} bytes", field="file", value=size, remedy="import it in parts"
        )
