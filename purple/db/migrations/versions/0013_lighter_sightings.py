"""Sightings without foreign keys to what they join: both ids come from the statement that writes them.

Each of the two checks locks, and so rewrites, the row that it finds: a file that is imported again touched every
observation and every vulnerability of it. The key to the scan stays, which holds a sighting to its organisation.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

KEYS = {"vulnerability_id": "vulnerabilities", "observation_id": "observations"}


def upgrade() -> None:
    """Drop them."""
    for column in KEYS:
        op.execute(f"ALTER TABLE sightings DROP CONSTRAINT fk_sightings_{column}")


def downgrade() -> None:
    """Add them again."""
    for column, table in KEYS.items():
        op.execute(
            f"ALTER TABLE sightings ADD CONSTRAINT fk_sightings_{column} FOREIGN KEY ({column}) REFERENCES {table} (id)"
        )
