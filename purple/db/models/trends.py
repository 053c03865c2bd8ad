"""What is kept by month, in partitions: the book of vulnerabilities, and how scans went."""

from sqlalchemy import Boolean, Column, Date, Float, Integer, PrimaryKeyConstraint, Table, Uuid

from purple.db.models.base import enum_text, metadata, organisation, text
from purple.domain.severity import Severity
from purple.domain.tools import ScanState

_BY_MONTH = "RANGE (day)"


def _number(name: str) -> "Column[int]":
    return Column(name, Integer, nullable=False)


vulnerability_trends = Table(
    "vulnerability_trends",
    metadata,
    organisation(),
    Column("target_id", Uuid, nullable=False),
    Column("day", Date, nullable=False),
    Column("severity", enum_text(Severity), nullable=False),
    Column("since", Date, nullable=False),
    Column("due", Date, nullable=False),
    _number("carried"),
    _number("moved"),
    _number("found"),
    _number("reopened"),
    _number("returned"),
    _number("fixed"),
    _number("dismissed"),
    PrimaryKeyConstraint("organisation_id", "target_id", "day", "severity", "since", "due"),
    postgresql_partition_by=_BY_MONTH,
)
"""Lines of a book: `since` is when they were first seen or reopened, `due` is infinity without a due date.

`carried` are those present when the month begins, on its first day only; `moved` is by how many they became more.
"""

scan_metrics = Table(
    "scan_metrics",
    metadata,
    organisation(),
    Column("campaign_id", Uuid, nullable=False),
    Column("scan_id", Uuid, nullable=False),
    Column("day", Date, nullable=False),
    Column("target_id", Uuid, nullable=False),
    text("tool"),
    Column("state", enum_text(ScanState), nullable=False),
    Column("covered", Boolean, nullable=False),
    Column("seconds", Float),
    _number("attempts"),
    _number("observations"),
    PrimaryKeyConstraint("organisation_id", "campaign_id", "scan_id", "day"),
    postgresql_partition_by=_BY_MONTH,
)
"""`day` is when it ended, `seconds` how long it took where it ran, `covered` whether a recent scan stands for it."""
