"""Results of SARIF are told apart by their code or fingerprint: those that are known get what their next sighting has.

Of some nothing was kept by which they are known again: those without code, and secrets. They get a mark of their rule
and file, and the next import that sees the rule there gives them the fingerprint of what it sees; see
`repositories.heirs`.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from alembic import op
from sqlalchemy import Connection, text

from purple.db.repositories.observed import COLUMNS, read
from purple.domain.fingerprints import fingerprint
from purple.domain.observations import FlawClass, Observation
from purple.domain.targets import TargetKind
from purple.toolkit.code import digest_of, inside
from purple.toolkit.code_rules import weakness_of

revision = "0033"
down_revision = "0032"

FIELDS = ("package", "snippet", "secret", "fingerprint")
TOOLS = {
    "Semgrep OSS": "semgrep",
    "Semgrep PRO": "semgrep",
    "Bandit": "bandit",
    "Checkov": "checkov",
    "Trivy": "trivy",
    **{name: name for name in ("bandit", "checkov", "gitleaks", "osv-scanner", "semgrep", "trivy")},
}
"""By which name the rules of a tool begin now; of others it stays, and so do the names of their files."""
GHSA = re.compile(r"GHSA(?:-[0-9a-z]{4}){3}")

INDEX = """
CREATE INDEX ix_vulnerabilities_left ON vulnerabilities (organisation_id, fingerprint) WHERE fingerprint LIKE 'left:%';
"""
CONCERNED = text(f"""
    SELECT DISTINCT ON (v.id) v.fingerprint AS known, t.kind AS target_kind,
        {", ".join(f"o.{name}" for name in COLUMNS)}
    FROM observations o
    JOIN vulnerabilities v ON v.fingerprint = coalesce(o.computed, o.fingerprint)
    JOIN targets t ON t.id = o.target_id
    LEFT JOIN sightings s ON s.observation_id = o.id
    WHERE o.tool = 'sarif' AND o.url = ''
    ORDER BY v.id, s.standing NULLS LAST, o.id
""")  # noqa: S608 - our own column names
RENEW = text("""
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT ON (v.organisation_id, told.fingerprint) v.id, told.*
        FROM unnest(CAST(:known AS text[]), CAST(:fingerprints AS text[]), CAST(:weaknesses AS text[]),
            CAST(:causes AS text[])) AS told (known, fingerprint, weakness, cause)
        JOIN vulnerabilities v ON v.fingerprint = told.known
        WHERE NOT EXISTS (
            SELECT 1 FROM vulnerabilities other
            WHERE other.organisation_id = v.organisation_id AND other.fingerprint = told.fingerprint)
        ORDER BY v.organisation_id, told.fingerprint, v.state IN ('open', 'fixed'), v.id
    ), seen AS (
        UPDATE observations o SET
            fingerprint = coalesce((SELECT fingerprint FROM wanted WHERE known = o.fingerprint), o.fingerprint),
            computed = coalesce((SELECT fingerprint FROM wanted WHERE known = o.computed), o.computed)
        WHERE o.fingerprint IN (SELECT known FROM wanted) OR o.computed IN (SELECT known FROM wanted)
    ), ruled AS (
        UPDATE rulings r SET
            fingerprint = coalesce((SELECT fingerprint FROM wanted WHERE known = r.fingerprint), r.fingerprint),
            "into" = coalesce((SELECT fingerprint FROM wanted WHERE known = r.into), r.into)
        WHERE r.fingerprint IN (SELECT known FROM wanted) OR r.into IN (SELECT known FROM wanted)
    )
    UPDATE vulnerabilities v SET fingerprint = wanted.fingerprint, twin = NULL,
        weakness = coalesce(nullif(wanted.weakness, ''), v.weakness),
        cause = coalesce(nullif(wanted.cause, ''), v.cause)
    FROM wanted WHERE v.id = wanted.id
""")
"""One that is left out keeps its own and is fixed by the next import, which sees its flaw as the other's."""
RULES = text("""
    UPDATE rulings SET rule = CAST(:name AS text) || substr(rule, length(:before) + 1)
    WHERE tool = 'sarif' AND starts_with(rule, :before || ':')
""")
BEHIND = """
INSERT INTO risk_rules (organisation_id, version, weighed_version, weighed_model, weighed_revision)
SELECT id, 0, 0, 2, 0 FROM organisations ON CONFLICT DO NOTHING;
"""
"""By which model of risk each was weighed, also where nobody has set weights: a later model finds those behind it."""
HELD = ("vulnerabilities", "sightings", "observations", "targets", "rulings", "organisations", "risk_rules")


def upgrade() -> None:
    """So that verdicts and rulings stay."""
    for table in HELD:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    renew(op.get_bind())
    op.execute(BEHIND)
    for table in HELD:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(INDEX)


def renew(connection: Connection) -> None:
    """Give flaws the fingerprints that their next sightings will have, or the mark by which one finds them."""
    changed = list(_changed(connection))
    if changed:
        known, fingerprints, weaknesses, causes = map(list, zip(*changed, strict=True))
        told = {"known": known, "fingerprints": fingerprints, "weaknesses": weaknesses, "causes": causes}
        connection.execute(RENEW, told)
    for before, name in TOOLS.items():
        if before != name:
            connection.execute(RULES, {"before": before, "name": name})


def _changed(connection: Connection) -> Iterator[tuple[str, str, str, str]]:
    for row in connection.execute(CONCERNED):
        seen = _told_now(read(row).seen)
        if seen.attributes:
            now = fingerprint(row.target_id, seen, FIELDS, TargetKind(row.target_kind))
            yield row.known, now, seen.weakness, seen.weakness or seen.rule
        else:
            yield row.known, _mark(row.target_id, seen), "", ""


def _told_now(seen: Observation) -> Observation:
    """The same as the parser tells it today, but for what was not kept."""
    tool, _, rule = seen.rule.partition(":")
    ours = TOOLS.get(tool)
    path = inside(seen.location.path) if ours else seen.location.path
    is_code = seen.flaw_class is FlawClass.CODE and not seen.cve
    return replace(
        seen,
        rule=f"{ours or tool}:{rule}",
        weakness=weakness_of(ours or tool, rule),
        location=replace(seen.location, path=path),
        attributes={"snippet": digest_of(seen.evidence)} if is_code and seen.evidence.strip() else {},
    )


def _mark(target_id: Any, seen: Observation) -> str:
    advisory = GHSA.search(seen.rule)
    what = min(seen.cve).upper() if seen.cve else advisory[0] if advisory else seen.rule
    parts = "\x1f".join((str(target_id), what, seen.location.path.lstrip("/")))
    return f"left:{hashlib.md5(parts.encode(), usedforsecurity=False).hexdigest()}"
