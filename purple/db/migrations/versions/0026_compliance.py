"""What a target is for, what sort it is and what it must comply with; how controls stood, by day."""

from alembic import op

revision = "0026"
down_revision = "0025"

APP = "purple_app"
PRESENT = "(SELECT nullif(current_setting('purple.organisation', true), '')::uuid)"

TABLES = """
ALTER TABLE targets
    ADD environment VARCHAR NOT NULL DEFAULT 'unknown',
    ADD category TEXT NOT NULL DEFAULT '',
    ADD frameworks TEXT[] NOT NULL DEFAULT '{}',
    ADD custom TEXT[] NOT NULL DEFAULT '{}';
CREATE TABLE compliance_days (
    organisation_id UUID NOT NULL,
    framework TEXT DEFAULT '' NOT NULL,
    day DATE NOT NULL,
    control TEXT DEFAULT '' NOT NULL,
    status VARCHAR NOT NULL,
    CONSTRAINT pk_compliance_days PRIMARY KEY (organisation_id, framework, day, control)
);
"""


def upgrade() -> None:
    """Four columns, and a table with the tenant's policy."""
    op.execute(TABLES)
    op.execute("ALTER TABLE compliance_days ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE compliance_days FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON compliance_days TO {APP} USING (organisation_id = {PRESENT})"
        f" WITH CHECK (organisation_id = {PRESENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON compliance_days TO {APP}")
