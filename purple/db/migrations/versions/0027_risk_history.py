"""How risk was, by day."""

from alembic import op

revision = "0027"
down_revision = "0026"

APP = "purple_app"
PRESENT = "(SELECT nullif(current_setting('purple.organisation', true), '')::uuid)"

TABLE = """
CREATE TABLE risk_days (
    organisation_id UUID NOT NULL,
    subject VARCHAR NOT NULL,
    subject_id UUID NOT NULL,
    day DATE NOT NULL,
    score INTEGER NOT NULL,
    CONSTRAINT pk_risk_days PRIMARY KEY (organisation_id, subject, subject_id, day)
);
"""


def upgrade() -> None:
    """A table with the tenant's policy."""
    op.execute(TABLE)
    op.execute("ALTER TABLE risk_days ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE risk_days FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON risk_days TO {APP} USING (organisation_id = {PRESENT})"
        f" WITH CHECK (organisation_id = {PRESENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON risk_days TO {APP}")
