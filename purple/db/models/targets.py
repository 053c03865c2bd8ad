"""The register of assets."""

from sqlalchemy import Column, Computed, Index, Integer, Table, Text, UniqueConstraint, Uuid

from purple.db.models.base import enum_text, key, metadata, moment, organisation, text, texts_of, tuple_of
from purple.db.models.units import unit_key
from purple.domain.targets import Control, Criticality, DataClass, Environment, Exposure, TargetKind

targets = Table(
    "targets",
    metadata,
    key(),
    organisation(),
    Column("kind", enum_text(TargetKind), nullable=False),
    text("value"),
    text("name"),
    Column("criticality", enum_text(Criticality), nullable=False),
    Column("tags", tuple_of(Text()), nullable=False),
    moment("created_at"),
    Column("version", Integer, nullable=False),
    text("zone"),
    Column("exposure", enum_text(Exposure), nullable=False, server_default=Exposure.UNKNOWN),
    Column("data_class", enum_text(DataClass), nullable=False, server_default=DataClass.UNKNOWN),
    Column("controls", texts_of(Control), nullable=False, server_default="{}"),
    Column("unit_id", Uuid, index=True),
    Column("environment", enum_text(Environment), nullable=False, server_default=Environment.UNKNOWN),
    text("category"),
    Column("frameworks", tuple_of(Text()), nullable=False, server_default="{}"),
    Column("custom", tuple_of(Text()), nullable=False, server_default="{}"),
    moment("retired_at", nullable=True),
    text("retired_by"),
    Column("retirement", Uuid),
    Column("host", Text, Computed("purple_host(kind, value)", persisted=True)),
    Column("machine_id", Uuid),
    UniqueConstraint("organisation_id", "kind", "value"),
    Index("ix_targets_host", "host", "zone"),
    unit_key(),
)
"""`host` is that of the value as `Target.address` has it; empty for networks, repositories and images."""
Index("ix_targets_machine_id", targets.c.machine_id, postgresql_where="machine_id IS NOT NULL")
