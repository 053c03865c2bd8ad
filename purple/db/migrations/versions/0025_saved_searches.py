"""Searches that people keep, and what those that are alerts have found."""

from alembic import op

revision = "0025"
down_revision = "0024"

APP = "purple_app"
PRESENT = "(SELECT nullif(current_setting('purple.organisation', true), '')::uuid)"
TABLES = """
CREATE TABLE saved_searches (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    owner TEXT DEFAULT '' NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    query TEXT DEFAULT '' NOT NULL,
    shared BOOLEAN NOT NULL,
    alert BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_saved_searches PRIMARY KEY (id),
    CONSTRAINT uq_saved_searches_id_organisation_id UNIQUE (id, organisation_id)
);
CREATE INDEX ix_saved_searches_owner ON saved_searches (organisation_id, owner);
CREATE TABLE search_matches (
    search_id UUID NOT NULL,
    vulnerability_id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_search_matches PRIMARY KEY (search_id, vulnerability_id),
    CONSTRAINT fk_search_matches_search_id FOREIGN KEY (search_id, organisation_id)
        REFERENCES saved_searches (id, organisation_id) ON DELETE CASCADE
);
"""


def upgrade() -> None:
    """Tables with the tenant's policy."""
    op.execute(TABLES)
    for table in ("saved_searches", "search_matches"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} TO {APP} USING (organisation_id = {PRESENT})"
            f" WITH CHECK (organisation_id = {PRESENT})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP}")
