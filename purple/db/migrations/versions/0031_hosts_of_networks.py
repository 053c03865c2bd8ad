"""Flaws of a network are told apart by their hosts: those that are known get the fingerprint of their own host."""

from collections.abc import Iterator
from typing import Any

from alembic import op
from sqlalchemy import Connection, text

from purple.db.repositories.observed import COLUMNS, read
from purple.domain.fingerprints import fingerprint
from purple.domain.targets import TargetKind

revision = "0031"
down_revision = "0030"

FIELDS = {
    **dict.fromkeys(("bandit", "checkov", "semgrep"), ("snippet",)),
    **dict.fromkeys(("osv-scanner", "pip-audit", "trivy"), ("package", "snippet")),
    **dict.fromkeys(("nessus", "openvas"), ("check",)),
    "cyclonedx": ("component",),
    "gitleaks": ("secret",),
    "hydra": ("login",),
    "nmap": ("script",),
}
"""By which facts a tool tells flaws apart, as its manifest says."""

CONCERNED = text(f"""
    SELECT DISTINCT ON (v.id) v.id AS vulnerability_id, v.fingerprint AS known,
        {", ".join(f"o.{name}" for name in COLUMNS)}
    FROM vulnerabilities v
    JOIN targets t ON t.id = v.target_id AND t.kind = 'network'
    JOIN sightings s ON s.vulnerability_id = v.id
    JOIN observations o ON o.id = s.observation_id AND o.host = v.host AND o.computed IS NULL
    ORDER BY v.id, s.standing
""")  # noqa: S608 - our own column names
RENEW = text("""
    WITH told AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:fingerprints AS text[])) AS told (id, fingerprint)
    ), wanted AS (
        SELECT v.id, v.host, v.target_id, v.fingerprint AS known, told.fingerprint
        FROM told JOIN vulnerabilities v ON v.id = told.id
    ), seen AS (
        UPDATE observations o SET fingerprint = wanted.fingerprint FROM wanted
        WHERE o.fingerprint = wanted.known AND o.target_id = wanted.target_id AND o.host = wanted.host
    )
    UPDATE vulnerabilities v SET fingerprint = wanted.fingerprint FROM wanted WHERE v.id = wanted.id
""")
"""What was seen of other hosts stays told of this one until a scan sees it again, as theirs."""
HELD = ("vulnerabilities", "sightings", "observations", "targets")


def upgrade() -> None:
    """So that verdicts stay; what a ruling leads elsewhere is left as it is."""
    for table in HELD:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    renew(op.get_bind())
    for table in HELD:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def renew(connection: Connection) -> None:
    """Give flaws of networks the fingerprints that their next sightings will have."""
    changed = list(_changed(connection))
    if changed:
        ids, fingerprints = map(list, zip(*changed, strict=True))
        connection.execute(RENEW, {"ids": ids, "fingerprints": fingerprints})


def _changed(connection: Connection) -> Iterator[tuple[Any, str]]:
    for row in connection.execute(CONCERNED):
        now = fingerprint(row.target_id, read(row).seen, FIELDS.get(row.tool, ()), TargetKind.NETWORK)
        if now != row.known:
            yield row.vulnerability_id, now
