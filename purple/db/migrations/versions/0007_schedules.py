"""Schedules and their runs."""

from alembic import op

revision = "0007"
down_revision = "0006"

APP = "purple_app"
RELAY = "purple_relay"
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"

TABLES = """
CREATE TABLE schedules (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    profile TEXT DEFAULT '' NOT NULL,
    target_ids UUID[] NOT NULL,
    authorisation_id UUID NOT NULL,
    options JSONB NOT NULL,
    timing JSONB NOT NULL,
    state VARCHAR NOT NULL,
    owner TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_until TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by UUID,
    note TEXT DEFAULT '' NOT NULL,
    paused_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    told_version INTEGER NOT NULL,
    CONSTRAINT pk_schedules PRIMARY KEY (id),
    CONSTRAINT fk_schedules_authorisation_id FOREIGN KEY(authorisation_id) REFERENCES authorisations (id)
);

CREATE UNIQUE INDEX uq_schedules_name ON schedules (organisation_id, name) WHERE state <> 'deleted';

CREATE TABLE schedule_runs (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    schedule_id UUID NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cause VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    campaign_id UUID,
    CONSTRAINT pk_schedule_runs PRIMARY KEY (id),
    CONSTRAINT uq_schedule_runs_schedule_id_due_at UNIQUE (schedule_id, due_at),
    CONSTRAINT fk_schedule_runs_schedule_id FOREIGN KEY(schedule_id) REFERENCES schedules (id),
    CONSTRAINT fk_schedule_runs_campaign_id FOREIGN KEY(campaign_id) REFERENCES campaigns (id)
);
"""


def upgrade() -> None:
    """Tables, the tenant's policy on each, and the relay's on what it keeps."""
    op.execute(TABLES)
    for table in ("schedules", "schedule_runs"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} TO {APP} USING (organisation_id = {PRESENT})"
            f" WITH CHECK (organisation_id = {PRESENT})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {APP}")
    op.execute(f"CREATE POLICY relay_reads ON schedules FOR SELECT TO {RELAY} USING (true)")
    op.execute(f"GRANT SELECT ON schedules TO {RELAY}")
