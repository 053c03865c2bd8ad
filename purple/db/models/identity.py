"""Tenants, people and their tokens."""

from sqlalchemy import ARRAY, Column, ForeignKey, Table, Text, UniqueConstraint, Uuid

from purple.db.models.base import Mapped, key, metadata, moment, organisation, text
from purple.domain.identity import Permission


def _read(values: list[str]) -> frozenset[Permission]:
    # a permission that a newer version wrote is none that this one can grant
    return frozenset(Permission(value) for value in values if value in set(Permission))


organisations = Table("organisations", metadata, key(), text("name"), moment("created_at"))

users = Table(
    "users",
    metadata,
    key(),
    organisation(),
    text("username"),
    Column("permissions", Mapped(ARRAY(Text()), sorted, _read), nullable=False),
    moment("created_at"),
    UniqueConstraint("organisation_id", "username"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    key(),
    organisation(),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    text("secret_sha256"),
    moment("created_at"),
    moment("revoked_at", nullable=True),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    key(),
    organisation(),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    text("secret_sha256"),
    moment("created_at"),
    moment("expires_at"),
    moment("used_at", nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    key(),
    organisation(),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    text("secret_sha256"),
    moment("created_at"),
    moment("expires_at"),
    moment("revoked_at", nullable=True),
)
