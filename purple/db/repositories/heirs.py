"""What an upgrade could not compute: flaws of SARIF of which nothing was kept that tells them apart.

They carry a mark of their target, rule and file. The first import that sees the rule in that file gives such a flaw the
fingerprint of what it sees, so that a person's verdict stays with it: of several results the one in the topmost line,
for it was told as one with the others.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ARE_LEFT = text("SELECT EXISTS (SELECT 1 FROM vulnerabilities WHERE fingerprint LIKE 'left:%')")
_WHAT = """coalesce((SELECT min(upper(cve)) FROM unnest(o.cve) AS known (cve)),
            substring(o.rule FROM '^advisory:(.+)$'), o.rule)"""
_ADOPT = text(f"""
    WITH told AS MATERIALIZED (
        SELECT 'left:' || md5(concat_ws(chr(31), o.target_id, {_WHAT}, ltrim(o.detail ->> 'path', '/'))) AS mark,
            (o.detail ->> 'line')::int AS line, o.fingerprint
        FROM observations o WHERE o.campaign_id = :campaign AND o.kind = 'flaw' AND o.tool = 'sarif'
    ), chosen AS (
        SELECT DISTINCT ON (v.id) v.id, v.state, v.fingerprint AS known, told.fingerprint
        FROM told CROSS JOIN LATERAL (SELECT * FROM vulnerabilities WHERE fingerprint = told.mark OFFSET 0) AS v
        WHERE NOT EXISTS (SELECT 1 FROM vulnerabilities other WHERE other.fingerprint = told.fingerprint)
        ORDER BY v.id, told.line, told.fingerprint
    ), heirs AS (
        SELECT DISTINCT ON (fingerprint) * FROM chosen ORDER BY fingerprint, state IN ('open', 'fixed'), id
    ), seen AS (
        UPDATE observations o SET fingerprint = heirs.fingerprint FROM heirs WHERE o.fingerprint = heirs.known
    )
    UPDATE vulnerabilities v SET fingerprint = heirs.fingerprint, twin = NULL FROM heirs WHERE v.id = heirs.id
""")  # noqa: S608 - our own words
"""One by one along the index: how many are marked is what PostgreSQL cannot know."""


async def adopt(connection: AsyncConnection, campaign_id: UUID) -> None:
    """Before a campaign's flaws are gathered, and before rulings are applied to them."""
    if (await connection.execute(_ARE_LEFT)).scalar_one():
        await connection.execute(_ADOPT, {"campaign": campaign_id})
