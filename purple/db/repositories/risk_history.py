"""How risk was, by day; only what changed is kept."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.domain.risk_history import RiskDay, Scores, Subject

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('risk ' || CAST(:organisation AS text)))")
_KEEP = text("""
    WITH last AS (
        SELECT DISTINCT ON (subject, subject_id) subject, subject_id, score
        FROM risk_days WHERE day <= :day ORDER BY subject, subject_id, day DESC
    ), present AS (
        SELECT * FROM unnest(CAST(:subjects AS text[]), CAST(:ids AS uuid[]), CAST(:scores AS int[]))
            AS told (subject, subject_id, score)
    )
    INSERT INTO risk_days (organisation_id, subject, subject_id, day, score)
    SELECT CAST(:organisation AS uuid), subject, subject_id, :day, coalesce(present.score, 0)
    FROM present FULL JOIN last USING (subject, subject_id)
    WHERE coalesce(present.score, 0) <> coalesce(last.score, 0)
    ON CONFLICT (organisation_id, subject, subject_id, day) DO UPDATE SET score = excluded.score
""")
_DAYS = text("""
    SELECT greatest(day, :since) AS day, score FROM risk_days
    WHERE subject = :subject AND subject_id = :id AND day >= coalesce(
        (SELECT max(day) FROM risk_days WHERE subject = :subject AND subject_id = :id AND day <= :since), :since)
    ORDER BY day
""")


class RiskHistoryRows:
    """See `domain.risk_history.RiskHistory`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def keep(self, day: date, scores: Scores) -> int:
        """In one statement, behind a lock: of two who keep the same day the second changes nothing."""
        await self._connection.execute(_LOCK, {"organisation": str(self._organisation_id)})
        told = {
            "organisation": self._organisation_id,
            "day": day,
            "subjects": [str(subject) for subject, _ in scores],
            "ids": [subject_id for _, subject_id in scores],
            "scores": list(scores.values()),
        }
        return (await self._connection.execute(_KEEP, told)).rowcount

    async def days(self, subject: Subject, subject_id: UUID, since: date) -> Sequence[RiskDay]:
        """By the primary key."""
        asked = {"subject": str(subject), "id": subject_id, "since": since}
        return [RiskDay(row.day, row.score) for row in await self._connection.execute(_DAYS, asked)]
