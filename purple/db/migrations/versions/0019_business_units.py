"""Business units as a tree; a target is in one of them at most, and a rule of due dates may name one."""

from alembic import op

revision = "0019"
down_revision = "0018"

APP = "purple_app"
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"

TABLES = """
CREATE TABLE business_units (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    parent_id UUID,
    owner TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    path TEXT DEFAULT '' NOT NULL,
    lineage UUID[] NOT NULL,
    CONSTRAINT pk_business_units PRIMARY KEY (id),
    CONSTRAINT uq_business_units_id_organisation_id UNIQUE (id, organisation_id),
    CONSTRAINT uq_business_units_organisation_id_path UNIQUE (organisation_id, path),
    CONSTRAINT fk_business_units_parent_id FOREIGN KEY (parent_id, organisation_id)
        REFERENCES business_units (id, organisation_id)
);
ALTER TABLE targets ADD unit_id UUID,
    ADD CONSTRAINT fk_targets_unit_id FOREIGN KEY (unit_id, organisation_id)
        REFERENCES business_units (id, organisation_id);
CREATE INDEX ix_targets_unit_id ON targets (unit_id);
ALTER TABLE sla_rules ADD unit_id UUID,
    ADD CONSTRAINT fk_sla_rules_unit_id FOREIGN KEY (unit_id, organisation_id)
        REFERENCES business_units (id, organisation_id),
    DROP CONSTRAINT pk_sla_rules;
CREATE UNIQUE INDEX uq_sla_rules_any ON sla_rules (organisation_id, severity, exposure) WHERE unit_id IS NULL;
CREATE UNIQUE INDEX uq_sla_rules_unit ON sla_rules (organisation_id, severity, exposure, unit_id)
    WHERE unit_id IS NOT NULL;
"""
"""The keys hold the organisation too: a check of a foreign key sees behind row-level security."""


def upgrade() -> None:
    """A table with the tenant's policy, and a column that names one of its rows in two others."""
    op.execute(TABLES)
    op.execute("ALTER TABLE business_units ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE business_units FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON business_units TO {APP} USING (organisation_id = {PRESENT})"
        f" WITH CHECK (organisation_id = {PRESENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON business_units TO {APP}")
