"""Contracts: who allowed what."""

from typing import Any

from sqlalchemy import Column, Integer, Table

from purple.db.models.base import enum_text, json_as, key, metadata, moment, organisation, text
from purple.domain.scope import RuleKind, ScopeRule
from purple.domain.tools import Intrusiveness


def _write(rules: tuple[ScopeRule, ...]) -> list[dict[str, str]]:
    return [{"kind": rule.kind, "value": rule.value} for rule in rules]


def _read(rows: list[dict[str, Any]]) -> tuple[ScopeRule, ...]:
    return tuple(ScopeRule(RuleKind(row["kind"]), row["value"]) for row in rows)


authorisations = Table(
    "authorisations",
    metadata,
    key(),
    organisation(),
    text("name"),
    text("signed_by"),
    Column("include", json_as(_write, _read), nullable=False),
    Column("exclude", json_as(_write, _read), nullable=False),
    moment("valid_from"),
    moment("valid_until"),
    Column("max_intrusiveness", enum_text(Intrusiveness), nullable=False),
    moment("created_at"),
    moment("revoked_at", nullable=True),
    Column("version", Integer, nullable=False),
)
