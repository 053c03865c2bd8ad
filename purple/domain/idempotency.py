"""Requests that may come twice."""

from typing import Protocol
from uuid import UUID


class Idempotency(Protocol):
    """Answers to requests that carried an Idempotency-Key."""

    async def find(self, key: str) -> tuple[str, UUID] | None:
        """Hash of the request and the id that it made."""
        ...

    async def add(self, key: str, request_sha256: str, row_id: UUID) -> None:
        """Keep it.

        Raises:
            ConflictError: another request with this key came first.
        """
        ...
