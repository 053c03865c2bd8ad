"""How long tools took before."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

LATEST = 200
"""Scans of a tool that are looked at."""
ENOUGH = 5
"""Of fewer nothing is concluded."""

_DURATIONS = text("""
    SELECT wanted.tool, percentile_disc(0.95) WITHIN GROUP (ORDER BY seen.seconds) AS seconds
    FROM unnest(:tools) AS wanted(tool), LATERAL (
        SELECT extract(epoch FROM ended_at - started_at)::float AS seconds FROM scans
        WHERE scans.tool = wanted.tool AND state = 'complete' AND started_at IS NOT NULL AND ended_at IS NOT NULL
        ORDER BY ended_at DESC LIMIT :latest
    ) AS seen
    GROUP BY wanted.tool HAVING count(*) >= :enough
""").bindparams(bindparam("tools", type_=ARRAY(Text())))


class ScanHistory:
    """See `domain.ports.History`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def durations(self, tools: Sequence[str]) -> Mapping[str, float]:
        """Nineteen of twenty took no longer."""
        wanted = {"tools": sorted(set(tools)), "latest": LATEST, "enough": ENOUGH}
        return {row.tool: float(row.seconds) for row in await self._connection.execute(_DURATIONS, wanted)}
