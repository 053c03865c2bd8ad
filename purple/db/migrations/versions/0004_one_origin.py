"""Where an observation or sighting comes from, as one key: checked once a row, and no other campaign's scan fits."""

from alembic import op

revision = "0004"
down_revision = "0003"

UPGRADE = """
ALTER TABLE scans
  ADD CONSTRAINT uq_scans_id_organisation_id_campaign_id_target_id
    UNIQUE (id, organisation_id, campaign_id, target_id),
  ADD CONSTRAINT uq_scans_id_organisation_id_campaign_id UNIQUE (id, organisation_id, campaign_id);
ALTER TABLE observations
  DROP CONSTRAINT fk_observations_campaign_id,
  DROP CONSTRAINT fk_observations_target_id,
  DROP CONSTRAINT fk_observations_scan_id,
  ADD CONSTRAINT fk_observations_scan_id FOREIGN KEY (scan_id, organisation_id, campaign_id, target_id)
    REFERENCES scans (id, organisation_id, campaign_id, target_id);
ALTER TABLE sightings
  DROP CONSTRAINT fk_sightings_campaign_id,
  DROP CONSTRAINT fk_sightings_scan_id,
  ADD CONSTRAINT fk_sightings_scan_id FOREIGN KEY (scan_id, organisation_id, campaign_id)
    REFERENCES scans (id, organisation_id, campaign_id),
  ADD COLUMN confidence double precision NOT NULL DEFAULT 1;
ALTER TABLE sightings NO FORCE ROW LEVEL SECURITY;
ALTER TABLE observations NO FORCE ROW LEVEL SECURITY;
UPDATE sightings s SET confidence = o.confidence FROM observations o WHERE o.id = s.observation_id;
ALTER TABLE sightings FORCE ROW LEVEL SECURITY;
ALTER TABLE observations FORCE ROW LEVEL SECURITY;
"""
"""A sighting keeps the best confidence of its observations, so that weighing risk need not read them all again.

The owner fills it in; no policy names the owner, so row-level security is not forced on it for that long.
"""


def upgrade() -> None:
    """Three keys of a row become one that says more."""
    op.execute(UPGRADE)
