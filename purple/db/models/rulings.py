"""What people say of which sightings are one flaw."""

from sqlalchemy import Index, Table

from purple.db.models.base import key, metadata, moment, organisation, text

rulings = Table(
    "rulings",
    metadata,
    key(),
    organisation(),
    text("fingerprint"),
    text("tool"),
    text("rule"),
    text("into"),
    moment("created_at"),
    text("actor"),
    text("why"),
    moment("undone_at", nullable=True),
    text("undone_by"),
)
Index(
    "uq_rulings_standing",
    rulings.c.organisation_id,
    rulings.c.fingerprint,
    rulings.c.tool,
    rulings.c.rule,
    unique=True,
    postgresql_where="undone_at IS NULL",
)
