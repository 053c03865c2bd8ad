"""The life of vulnerabilities: who changed what and why, owners, comments, due dates, and which sighting tells best."""

from alembic import op

revision = "0014"
down_revision = "0013"

APP = "purple_app"
RELAY = "purple_relay"
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"

COLUMNS = """
ALTER TABLE vulnerabilities
    ADD owner TEXT NOT NULL DEFAULT '',
    ADD accepted_until TIMESTAMP WITH TIME ZONE,
    ADD accepted_from VARCHAR,
    ADD reopened_at TIMESTAMP WITH TIME ZONE,
    ADD due_at TIMESTAMP WITH TIME ZONE,
    ADD due_by_hand BOOLEAN NOT NULL DEFAULT false,
    ADD overdue_at TIMESTAMP WITH TIME ZONE,
    ADD standing UUID;
ALTER TABLE sightings ADD standing UUID;
ALTER TABLE targets ADD exposure VARCHAR NOT NULL DEFAULT 'unknown';
CREATE INDEX ix_vulnerabilities_accepted ON vulnerabilities (accepted_until) WHERE state = 'risk_accepted';
CREATE INDEX ix_vulnerabilities_due ON vulnerabilities (due_at)
    WHERE overdue_at IS NULL AND state IN ('open', 'reopened', 'triaged', 'confirmed');
"""
"""No row is rewritten: whatever tells a known flaw next is taken as telling it better."""

TABLES = """
CREATE TABLE vulnerability_changes (
    organisation_id UUID NOT NULL,
    vulnerability_id UUID NOT NULL,
    version INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    cause VARCHAR NOT NULL,
    actor TEXT DEFAULT '' NOT NULL,
    why TEXT DEFAULT '' NOT NULL,
    campaign_id UUID,
    operation_id UUID,
    before JSONB NOT NULL,
    after JSONB NOT NULL,
    CONSTRAINT pk_vulnerability_changes PRIMARY KEY (vulnerability_id, version)
);
CREATE INDEX ix_vulnerability_changes_operation_id ON vulnerability_changes (operation_id)
    WHERE operation_id IS NOT NULL;
CREATE TABLE vulnerability_comments (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    vulnerability_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    author TEXT DEFAULT '' NOT NULL,
    body TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_vulnerability_comments PRIMARY KEY (id)
);
CREATE INDEX ix_vulnerability_comments_vulnerability_id ON vulnerability_comments (vulnerability_id);
CREATE TABLE triage_operations (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT DEFAULT '' NOT NULL,
    why TEXT DEFAULT '' NOT NULL,
    asked JSONB NOT NULL,
    outcome JSONB NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    undone_by TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_triage_operations PRIMARY KEY (id)
);
CREATE TABLE sla_rules (
    organisation_id UUID NOT NULL,
    severity VARCHAR NOT NULL,
    exposure TEXT DEFAULT '' NOT NULL,
    days INTEGER NOT NULL,
    CONSTRAINT pk_sla_rules PRIMARY KEY (organisation_id, severity, exposure)
);
"""
"""Without foreign keys to vulnerabilities: each check locks, and so rewrites, the row it finds (see 0013)."""

RIGHTS = {
    "vulnerability_changes": "SELECT, INSERT",
    "vulnerability_comments": "SELECT, INSERT",
    "triage_operations": "SELECT, INSERT, UPDATE (undone_at, undone_by)",
    "sla_rules": "SELECT, INSERT, UPDATE, DELETE",
}


def upgrade() -> None:
    """Columns, tables with the tenant's policy and no more rights than needed; the relay sees whose time is over."""
    op.execute(COLUMNS)
    op.execute(TABLES)
    for table, rights in RIGHTS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} TO {APP} USING (organisation_id = {PRESENT})"
            f" WITH CHECK (organisation_id = {PRESENT})"
        )
        op.execute(f"GRANT {rights} ON {table} TO {APP}")
    op.execute(f"CREATE POLICY relay_reads ON vulnerabilities FOR SELECT TO {RELAY} USING (true)")
    op.execute(
        f"GRANT SELECT (organisation_id, state, accepted_until, due_at, overdue_at) ON vulnerabilities TO {RELAY}"
    )
