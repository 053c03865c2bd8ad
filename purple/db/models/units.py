"""Business units."""

from sqlalchemy import Column, ForeignKeyConstraint, Integer, Table, UniqueConstraint, Uuid

from purple.db.models.base import key, metadata, moment, organisation, text, tuple_of

business_units = Table(
    "business_units",
    metadata,
    key(),
    organisation(),
    text("name"),
    Column("parent_id", Uuid),
    text("owner"),
    moment("created_at"),
    Column("version", Integer, nullable=False),
    text("path"),
    Column("lineage", tuple_of(Uuid()), nullable=False),
    UniqueConstraint("id", "organisation_id"),
    UniqueConstraint("organisation_id", "path"),
    ForeignKeyConstraint(["parent_id", "organisation_id"], ["business_units.id", "business_units.organisation_id"]),
)
"""`path` and `lineage` follow from the tree and are written with each change of it, so that a list of what is below a
unit, and the rule that is nearest to a target, need no walk.
"""


def unit_key() -> ForeignKeyConstraint:
    """What holds a `unit_id` to the units of its organisation."""
    return ForeignKeyConstraint(["unit_id", "organisation_id"], ["business_units.id", "business_units.organisation_id"])
