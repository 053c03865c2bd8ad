"""What else a contract says: test windows, forbidden tools, the document that was signed."""

from alembic import op

revision = "0006"
down_revision = "0004"

CONTRACTS = """
ALTER TABLE authorisations
  ADD forbidden_tools TEXT[] NOT NULL DEFAULT '{}',
  ADD windows TEXT[] NOT NULL DEFAULT '{}',
  ADD document TEXT NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    """Columns with a default, so that no row is rewritten."""
    op.execute(CONTRACTS)
