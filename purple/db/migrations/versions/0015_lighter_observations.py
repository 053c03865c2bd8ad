"""Observations and sightings without foreign keys to their scan, and what the risk of a flaw was weighed with.

A thousand rows of one scan had it looked up a thousand times, which is a fifth of what writing them costs. The
statement that writes observations asks for the scan once; sightings take theirs from observations.

What risk was weighed with starts unknown: the next sighting of a flaw has it weighed anew.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

KEYS = {
    "observations": "(scan_id, organisation_id, campaign_id, target_id)",
    "sightings": "(scan_id, organisation_id, campaign_id)",
}


def upgrade() -> None:
    """Drop them, and the key of scans that nothing else refers to."""
    for table in KEYS:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT fk_{table}_scan_id")
    op.execute("ALTER TABLE scans DROP CONSTRAINT uq_scans_id_organisation_id_campaign_id_target_id")
    op.execute("ALTER TABLE vulnerabilities ADD weighed_tools TEXT[], ADD weighed_confidence DOUBLE PRECISION")


def downgrade() -> None:
    """Add them again."""
    op.execute("ALTER TABLE vulnerabilities DROP weighed_tools, DROP weighed_confidence")
    op.execute(
        "ALTER TABLE scans ADD CONSTRAINT uq_scans_id_organisation_id_campaign_id_target_id"
        " UNIQUE (id, organisation_id, campaign_id, target_id)"
    )
    for table, columns in KEYS.items():
        referred = columns.replace("scan_id", "id")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}_scan_id FOREIGN KEY {columns} REFERENCES scans {referred}"
        )
