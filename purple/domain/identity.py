"""Who acts, and what they may do. Roles, sessions and OpenID grow in here later."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from purple.domain.errors import ForbiddenError

LINK_LIFE = timedelta(minutes=15)
"""For so long a sign-in link can be used."""
SESSION_LIFE = timedelta(hours=12)
"""For so long a browser stays signed in."""


class Permission(StrEnum):
    """What a route or command asks for, by name."""

    READ_TARGETS = "read:targets"
    WRITE_TARGETS = "write:targets"
    READ_AUTHORISATIONS = "read:authorisations"
    WRITE_AUTHORISATIONS = "write:authorisations"
    READ_CAMPAIGNS = "read:campaigns"
    WRITE_CAMPAIGNS = "write:campaigns"
    READ_SCANS = "read:scans"
    WRITE_SCANS = "write:scans"
    READ_VULNERABILITIES = "read:vulnerabilities"
    WRITE_VULNERABILITIES = "write:vulnerabilities"
    READ_OBSERVATIONS = "read:observations"
    READ_REPORTS = "read:reports"
    READ_EVENTS = "read:events"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a call, inside which organisation."""

    user_id: UUID
    organisation_id: UUID
    username: str
    permissions: frozenset[Permission]

    def require(self, permission: Permission) -> None:
        """Refuse a call without the permission.

        Raises:
            ForbiddenError: names the permission that is missing.
        """
        if permission not in self.permissions:
            raise ForbiddenError(
                f"this needs the permission {permission}",
                value=self.username,
                remedy="ask an administrator for it",
            )

    @property
    def actor(self) -> "Actor":
        """Who acts, for a durable step to check."""
        return Actor(self.user_id, self.organisation_id, self.username)


class Action(StrEnum):
    """What the signed word of an actor allows."""

    RETRY_FAILED = "retry_failed"
    STOP = "stop"
    """Pause, and end the tools that run."""
    SKIP = "skip"
    PARALLEL = "parallel"
    ADD_TARGETS = "add_targets"
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as a workflow is told."""

    user_id: UUID
    organisation_id: UUID
    username: str


class ActorTokens(Protocol):
    """Signed words of actors: a message that came by the workflow server is believed only with one."""

    def sign(self, actor: Actor, action: Action, workflow_id: str, about: str = "") -> str:
        """A token that allows one action on one workflow for a day; `about` binds it to what is asked exactly."""
        ...

    def verify(self, token: str, action: Action, workflow_id: str, about: str = "") -> Actor:
        """Who a token speaks for.

        Raises:
            ForbiddenError: it is not ours, has expired, or allows something else.
        """
        ...


@dataclass(frozen=True, slots=True)
class Organisation:
    """The tenant."""

    id: UUID
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """A person or a service of an organisation."""

    id: UUID
    organisation_id: UUID
    username: str
    permissions: frozenset[Permission]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A bearer token; only the SHA-256 of its secret is kept, which is safe for 256 random bits."""

    id: UUID
    organisation_id: UUID
    user_id: UUID
    secret_sha256: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignInLink:
    """Lets one browser in once; only the SHA-256 of its secret is kept, as with tokens."""

    id: UUID
    organisation_id: UUID
    user_id: UUID
    secret_sha256: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    def usable(self, at: datetime) -> bool:
        """Whether it was not used and its time is not over."""
        return self.used_at is None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that signed in; only the SHA-256 of its secret is kept."""

    id: UUID
    organisation_id: UUID
    user_id: UUID
    secret_sha256: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it was not signed out and its time is not over."""
        return self.revoked_at is None and at < self.expires_at
