"""The port to the object store."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class ObjectStore(Protocol):
    """Bytes named by their SHA-256."""

    async def put(self, data: bytes) -> str:
        """Keep bytes; their SHA-256 in hexadecimal. Putting them twice changes nothing."""
        ...

    async def put_file(self, path: Path, progress: Callable[[int], None] | None = None) -> str:
        """Keep a file without reading it into memory; its SHA-256 in hexadecimal. Progress is told bytes so far."""
        ...

    async def get(self, sha256: str) -> bytes:
        """The bytes.

        Raises:
            NotFoundError: they are not there.
        """
        ...

    async def get_file(self, sha256: str, path: Path) -> None:
        """Write the bytes to a new file without reading them into memory.

        Raises:
            NotFoundError: they are not there.
            UnavailableError: try again later.
        """
        ...

    def locate(self, sha256: str) -> str:
        """Where the bytes are, for people: a path or URL."""
        ...
