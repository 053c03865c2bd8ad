"""Sign-in links and sessions of the console."""

from alembic import op

revision = "0003"
down_revision = "0002"

APP = "purple_app"
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"

TABLES = """
CREATE TABLE sign_in_links (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    user_id UUID NOT NULL,
    secret_sha256 TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sign_in_links PRIMARY KEY (id),
    CONSTRAINT fk_sign_in_links_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE sessions (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    user_id UUID NOT NULL,
    secret_sha256 TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);
"""


def upgrade() -> None:
    """Tables, and the tenant's policy on each."""
    op.execute(TABLES)
    for table in ("sign_in_links", "sessions"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} TO {APP} USING (organisation_id = {PRESENT})"
            f" WITH CHECK (organisation_id = {PRESENT})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {APP}")
