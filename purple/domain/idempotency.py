"""Requests that may come twice."""

from typing import Protocol
from uuid import UUID

from purple.domain.errors import ConflictError, InvalidInputError

MAX_KEY = 255


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


def check_key(key: str) -> None:
    """Refuse a key that is too long to be kept.

    Raises:
        InvalidInputError: it is.
    """
    if len(key) > MAX_KEY:
        raise InvalidInputError(
            f"the key has more than {MAX_KEY} characters", field="Idempotency-Key", remedy="use a UUID"
        )


def check_repeated(before: str, request_sha256: str) -> None:
    """Hold a request to the one that came with its key first.

    Raises:
        ConflictError: it is another.
    """
    if before != request_sha256:
        raise ConflictError(
            "this Idempotency-Key came with another request before",
            field="Idempotency-Key",
            remedy="use a new key for a new request",
        )
