"""How far feeds are behind, for everybody to see: when each last moved, and up to where events are placed."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """A time for each feed; the application may read them, for they hold no organisation's data."""
    op.execute("ALTER TABLE feeds ADD at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()")
    op.execute("CREATE POLICY everybody_reads ON feeds FOR SELECT TO purple_app USING (true)")
    op.execute("GRANT SELECT ON feeds TO purple_app")


def downgrade() -> None:
    """As it was."""
    op.execute("REVOKE SELECT ON feeds FROM purple_app")
    op.execute("DROP POLICY everybody_reads ON feeds")
    op.execute("ALTER TABLE feeds DROP at")
