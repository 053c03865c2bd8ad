"""The object store: bytes named by their SHA-256, in a folder or an S3-compatible bucket."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.exceptions import NotFoundError as Missing
from obstore.store import LocalStore, ObjectStore, from_url

from purple.domain.errors import NotFoundError, UnavailableError

CHUNK = 5 * 1024**2
PARTS = 2
"""Parts of a large file on their way at once; each is held in memory."""


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _told(path: Path, progress: Callable[[int], None]) -> Iterator[bytes]:
    sent = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
            progress(sent := sent + len(chunk))


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


class Objects:
    """See `domain.objects.ObjectStore`."""

    def __init__(self, url: str) -> None:
        """Open `file:///folder` or another URL that obstore knows."""
        parts = urlsplit(url)
        self._url = url.rstrip("/")
        self._folder = Path(parts.path) if parts.scheme == "file" else None
        self._store: ObjectStore = LocalStore(parts.path, mkdir=True) if self._folder else from_url(url)

    async def put(self, data: bytes) -> str:
        """Keep bytes."""
        sha256 = hashlib.sha256(data).hexdigest()
        await self._put(sha256, data)
        return sha256

    async def put_file(self, path: Path, progress: Callable[[int], None] | None = None) -> str:
        """Keep a file, streamed."""
        sha256 = await asyncio.to_thread(_digest, path)
        await self._put(sha256, _told(path, progress) if progress else path)
        return sha256

    async def _put(self, sha256: str, source: bytes | Path | Iterator[bytes]) -> None:
        try:
            await obstore.put_async(self._store, _key(sha256), source, max_concurrency=PARTS)
        except (BaseError, OSError) as error:
            raise UnavailableError("the object store is away", remedy=f"check it: {error}"[:300]) from error

    async def get(self, sha256: str) -> bytes:
        """The bytes."""
        try:
            found = await obstore.get_async(self._store, _key(sha256))
            return bytes(await found.bytes_async())
        except (Missing, FileNotFoundError):
            raise NotFoundError(f"the object store does not hold {sha256}", value=sha256) from None
        except BaseError as error:
            raise UnavailableError("the object store is away", remedy=f"check it: {error}"[:300]) from error

    async def get_file(self, sha256: str, path: Path) -> None:
        """The bytes as a file, streamed."""
        try:
            found = await obstore.get_async(self._store, _key(sha256))
            with await asyncio.to_thread(path.open, "xb") as file:
                async for chunk in found.stream():
                    await asyncio.to_thread(file.write, chunk)
        except (Missing, FileNotFoundError):
            raise NotFoundError(f"the object store does not hold {sha256}", value=sha256) from None
        except BaseError as error:
            raise UnavailableError("the object store is away", remedy=f"check it: {error}"[:300]) from error

    def locate(self, sha256: str) -> str:
        """A path, or a URL."""
        return str(self._folder / _key(sha256)) if self._folder else f"{self._url}/{_key(sha256)}"
