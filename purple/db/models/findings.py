"""What was seen, what it is about, and the sightings between the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from purple.db.models.base import enum_text, json_as, key, metadata, moment, organisation, text, tuple_of
from purple.domain.false_positives import Reason
from purple.domain.risk import Part
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import PRESENT_STATES, VulnerabilityState

PRESENT = ", ".join(f"'{state}'" for state in PRESENT_STATES)
"""As SQL writes a list of them."""

observations = Table(
    "observations",
    metadata,
    key(),
    Column("seq", BigInteger, Identity(), nullable=False),
    organisation(),
    Column("campaign_id", Uuid, nullable=False),
    Column("scan_id", Uuid, nullable=False),
    Column("target_id", Uuid, nullable=False),
    text("tool"),
    text("fingerprint"),
    Column("computed", Text),
    text("kind"),
    text("rule"),
    text("title"),
    Column("severity", enum_text(Severity), nullable=False),
    text("flaw_class"),
    text("weakness"),
    text("host"),
    Column("port", Integer, nullable=False),
    text("url"),
    text("parameter"),
    Column("cve", tuple_of(Text()), nullable=False),
    Column("cwe", tuple_of(Integer()), nullable=False),
    text("description"),
    text("evidence"),
    text("remediation"),
    Column("refs", tuple_of(Text()), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("detail", JSONB, nullable=False),
    moment("recorded_at"),
    Index("ix_observations_campaign", "campaign_id", "kind", "seq"),
    Index("ix_observations_scan", "scan_id", "seq"),
    Index("ix_observations_fingerprint", "organisation_id", "fingerprint"),
)
"""`detail` holds the rest of the observation: transport, method, path, line, service, attributes, CVSS.

`computed` is the fingerprint that it had before a person's ruling gave it another: see `domain.rulings`.
"""


def _parts(rows: list[tuple[str, int, str]]) -> tuple[Part, ...]:
    return tuple(Part(*row) for row in rows)


def _reasons(rows: list[tuple[str, float, str]]) -> tuple[Reason, ...]:
    return tuple(Reason(*row) for row in rows)


vulnerabilities = Table(
    "vulnerabilities",
    metadata,
    key(),
    organisation(),
    Column("target_id", Uuid, ForeignKey("targets.id"), nullable=False, index=True),
    text("fingerprint"),
    text("title"),
    Column("severity", enum_text(Severity), nullable=False),
    Column("state", enum_text(VulnerabilityState), nullable=False),
    text("weakness"),
    Column("cve", tuple_of(Text()), nullable=False),
    Column("cwe", tuple_of(Integer()), nullable=False),
    text("host"),
    Column("port", Integer, nullable=False),
    text("url"),
    text("parameter"),
    text("description"),
    text("remediation"),
    Column("references", tuple_of(Text()), nullable=False),
    Column("risk", Integer, nullable=False),
    Column("risk_parts", json_as(list, _parts), nullable=False, server_default="[]"),
    text("cvss_vector"),
    Column("cvss_score", Float, nullable=False, server_default="0"),
    text("cause"),
    Column("version", Integer, nullable=False),
    text("owner"),
    moment("accepted_until", nullable=True),
    Column("accepted_from", enum_text(VulnerabilityState)),
    moment("reopened_at", nullable=True),
    moment("due_at", nullable=True),
    Column("due_by_hand", Boolean, nullable=False, server_default="false"),
    moment("overdue_at", nullable=True),
    Column("standing", Uuid),
    Column("weighed_tools", tuple_of(Text())),
    Column("weighed_confidence", Float),
    Column("false_positive", Float),
    Column("doubts", json_as(list, _reasons), nullable=False, server_default="[]"),
    Column("twin", Uuid),
    UniqueConstraint("organisation_id", "fingerprint"),
    Index("ix_vulnerabilities_risk", "organisation_id", "risk", "id"),
    Index("ix_vulnerabilities_cause", "organisation_id", "cause"),
    Index("ix_vulnerabilities_left", "organisation_id", "fingerprint", postgresql_where="fingerprint LIKE 'left:%'"),
)
"""`accepted_from` is the state before an accepted risk; `overdue_at` is when it was told that `due_at` is over.

`weighed_tools` and `weighed_confidence` are what its risk was weighed with, so that a sighting which tells no more need
not have all others read. What is shown derives from sightings.
"""
Index(
    "ix_vulnerabilities_doubted",
    vulnerabilities.c.organisation_id,
    vulnerabilities.c.false_positive,
    postgresql_where="false_positive IS NOT NULL",
)
Index("ix_vulnerabilities_twin", vulnerabilities.c.twin, postgresql_where="twin IS NOT NULL")
Index("ix_vulnerabilities_accepted", vulnerabilities.c.accepted_until, postgresql_where="state = 'risk_accepted'")
Index(
    "ix_vulnerabilities_known", vulnerabilities.c.organisation_id, vulnerabilities.c.id, postgresql_where="cve <> '{}'"
)
Index(
    "ix_vulnerabilities_due",
    vulnerabilities.c.due_at,
    postgresql_where=f"overdue_at IS NULL AND state IN ({PRESENT})",
)

vulnerability_counts = Table(
    "vulnerability_counts",
    metadata,
    organisation(),
    Column("seq", BigInteger, Identity(), nullable=False),
    Column("severity", enum_text(Severity), nullable=False),
    Column("number", Integer, nullable=False),
    PrimaryKeyConstraint("organisation_id", "seq"),
)
"""How many are present is the sum of its lines, each of which is a change; triggers write them, see migration 0034."""

sightings = Table(
    "sightings",
    metadata,
    Column("vulnerability_id", Uuid, primary_key=True),
    Column("scan_id", Uuid, primary_key=True),
    organisation(),
    Column("campaign_id", Uuid, nullable=False, index=True),
    text("tool"),
    Column("observation_id", Uuid, nullable=False),
    moment("seen_at"),
    Column("confidence", Float, nullable=False, server_default="1"),
    Column("standing", Uuid),
)
"""`standing` orders them by how well they tell the flaw: see `repositories.merging`."""
