"""What people say of which sightings are one flaw, root causes, and fingerprints as they are computed now."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from alembic import op
from sqlalchemy import Connection, text

from purple.db.repositories.merging import CAUSE
from purple.db.repositories.observed import COLUMNS, read
from purple.domain.fingerprints import fingerprint
from purple.domain.observations import Observation

revision = "0021"
down_revision = "0020"

APP = "purple_app"
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"

TABLES = """
ALTER TABLE observations ADD computed TEXT;
ALTER TABLE vulnerabilities ADD cause TEXT NOT NULL DEFAULT '';
CREATE INDEX ix_vulnerabilities_cause ON vulnerabilities (organisation_id, cause);
CREATE TABLE rulings (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    fingerprint TEXT DEFAULT '' NOT NULL,
    tool TEXT DEFAULT '' NOT NULL,
    rule TEXT DEFAULT '' NOT NULL,
    "into" TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT DEFAULT '' NOT NULL,
    why TEXT DEFAULT '' NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    undone_by TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_rulings PRIMARY KEY (id)
);
CREATE UNIQUE INDEX uq_rulings_standing ON rulings (organisation_id, fingerprint, tool, rule)
    WHERE undone_at IS NULL;
"""
RIGHTS = f"""
ALTER TABLE rulings ENABLE ROW LEVEL SECURITY;
ALTER TABLE rulings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON rulings TO {APP} USING (organisation_id = {PRESENT}) WITH CHECK (organisation_id = {PRESENT});
GRANT SELECT, INSERT, UPDATE (undone_at, undone_by) ON rulings TO {APP};
GRANT UPDATE (fingerprint, computed) ON observations TO {APP};
GRANT DELETE ON sightings TO {APP};
"""

NAMES = {
    "bandit:B102": "code-execution",
    "bandit:B201": "debugger-served",
    "bandit:B202": "path-traversal",
    "bandit:B301": "unsafe-deserialisation",
    "bandit:B302": "unsafe-deserialisation",
    "bandit:B303": "broken-hash",
    "bandit:B306": "temporary-file-insecure",
    "bandit:B307": "code-execution",
    "bandit:B324": "broken-hash",
    "bandit:B501": "certificate-not-verified",
    "bandit:B506": "unsafe-deserialisation",
    "checkov:CKV_AWS_24": "firewall-open",
    "checkov:CKV_AWS_25": "firewall-open",
    "checkov:CKV_AWS_260": "firewall-open",
    "checkov:CKV_DOCKER_2": "image-without-healthcheck",
    "checkov:CKV_DOCKER_3": "image-runs-as-root",
    "checkov:CKV_DOCKER_5": "image-update-alone",
    "checkov:CKV_DOCKER_7": "image-not-pinned",
    "checkov:CKV_DOCKER_8": "image-runs-as-root",
    "dirsearch:path-found": "path-found",
    "ffuf:path-found": "path-found",
    "trivy:AVD-AWS-0107": "firewall-open",
    "trivy:AVD-DS-0001": "image-not-pinned",
    "trivy:AVD-DS-0002": "image-runs-as-root",
    "trivy:AVD-DS-0017": "image-update-alone",
    "trivy:AVD-DS-0026": "image-without-healthcheck",
    "wapiti:Internal Server Error": "error-unhandled",
}
"""Rules whose flaws have a name that other tools share since this release."""
METHODS = "wapiti:HTTP Methods"
SEMGREP = {
    "eval": "code-execution",
    "unsafe-deserialisation": "unsafe-deserialisation",
    "broken-hash": "broken-hash",
    "tls-not-verified": "certificate-not-verified",
    "temporary-name": "temporary-file-insecure",
    "debugger-served": "debugger-served",
}
"""Likewise, by what follows the language in the name of a rule that we ship."""
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
    JOIN sightings s ON s.vulnerability_id = v.id JOIN observations o ON o.id = s.observation_id
    WHERE o.rule = ANY(:rules) OR o.rule LIKE 'semgrep:%' OR o.rule LIKE 'checkov:%' OR cardinality(o.cve) > 1
        OR o.flaw_class = 'endpoint' AND (
            o.weakness ~ '^(header|cookie|http-method|plaintext|version|error)-'
            OR split_part(o.url, '?', 1) ~ '[^:]//|[%;]|[^/]/$')
    ORDER BY v.id, s.standing
""")  # noqa: S608 - our own column names
"""Those whose fingerprint may be another one now; the order of states decides which of two that become one has it."""
RENEW = text("""
    WITH wanted AS (
        SELECT DISTINCT ON (v.organisation_id, told.fingerprint) v.id, v.fingerprint AS known, told.fingerprint,
            told.weakness
        FROM unnest(CAST(:ids AS uuid[]), CAST(:fingerprints AS text[]), CAST(:weaknesses AS text[]))
            AS told (id, fingerprint, weakness)
        JOIN vulnerabilities v ON v.id = told.id
        WHERE NOT EXISTS (
            SELECT 1 FROM vulnerabilities other
            WHERE other.organisation_id = v.organisation_id AND other.fingerprint = told.fingerprint)
        ORDER BY v.organisation_id, told.fingerprint, v.state IN ('open', 'fixed'), v.id
    ), seen AS (
        UPDATE observations o SET fingerprint = wanted.fingerprint FROM wanted WHERE o.fingerprint = wanted.known
    )
    UPDATE vulnerabilities v SET fingerprint = wanted.fingerprint, weakness = wanted.weakness
    FROM wanted WHERE v.id = wanted.id
""")
"""One that is left out keeps its own and is fixed by the next scan, which sees its flaw as the other's."""
FILL = f"""
    UPDATE vulnerabilities v SET cause = {CAUSE}
    FROM sightings s JOIN observations o ON o.id = s.observation_id
    WHERE s.vulnerability_id = v.id AND s.standing IS NOT DISTINCT FROM v.standing
"""  # noqa: S608 - our own words
HELD = ("vulnerabilities", "sightings", "observations")


def upgrade() -> None:
    """Rulings and the few rights that they need, fingerprints made anew so that verdicts stay, and causes."""
    op.execute(TABLES)
    op.execute(RIGHTS)
    for table in HELD:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    renew(op.get_bind())
    op.execute(FILL)
    for table in HELD:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def renew(connection: Connection) -> None:
    """Give flaws the fingerprints that their next sightings will have."""
    changed = list(_changed(connection))
    if changed:
        ids, fingerprints, weaknesses = map(list, zip(*changed, strict=True))
        connection.execute(RENEW, {"ids": ids, "fingerprints": fingerprints, "weaknesses": weaknesses})


def _changed(connection: Connection) -> Iterator[tuple[Any, str, str]]:
    for row in connection.execute(CONCERNED, {"rules": [*NAMES, METHODS]}):
        seen = _told_now(read(row).seen)
        now = fingerprint(row.target_id, seen, FIELDS.get(row.tool, ()))
        if now != row.known:
            yield row.vulnerability_id, now, seen.weakness


def _told_now(seen: Observation) -> Observation:
    """The same as its tool's parser tells it today."""
    tool, _, rule = seen.rule.partition(":")
    name = SEMGREP.get(rule.partition("-")[2], "") if tool == "semgrep" else NAMES.get(seen.rule, "")
    if tool == "checkov" and rule.startswith(("CKV_DOCKER", "CKV2_DOCKER")):
        seen = replace(seen, location=replace(seen.location, parameter=""))
    if seen.rule == METHODS:
        seen = replace(seen, flaw_class=None)  # of the service
    return replace(seen, weakness=name) if name else seen
