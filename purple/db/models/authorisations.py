"""Contracts: who allowed what."""

from typing import Any

from sqlalchemy import Column, Integer, Table, Text

from purple.db.models.base import enum_text, json_as, key, metadata, moment, organisation, text, texts_of, tuple_of
from purple.domain.scope import RuleKind, ScopeRule
from purple.domain.tools import Intrusiveness
from purple.domain.windows import parse_window


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
    Column("forbidden_tools", tuple_of(Text()), nullable=False, server_default="{}"),
    Column("windows", texts_of(parse_window), nullable=False, server_default="{}"),
    text("document"),
)
