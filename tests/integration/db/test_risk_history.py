"""The history of risk on a real PostgreSQL: a score stands until the next one, and nothing else is kept."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest

from purple.contracts.campaigns import CampaignRef
from purple.domain.errors import NotFoundError
from purple.domain.risk_history import RiskDay, Subject
from purple.services.analysis import Analysis
from purple.services.keeping import Keeping
from purple.services.risking import Risking
from purple.services.units import Units
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import START, Clock

FIRST = START.date()


def day(number: int):
    return FIRST + timedelta(number)


async def test_what_is_kept_tells_each_day_as_it_was(tenant) -> None:
    """Beside a plain table of every score on every day."""
    seeded = random.Random(7)  # noqa: S311 - a test's own
    subjects = [(Subject.TARGET, uuid4()) for _ in range(3)] + [(Subject.UNIT, uuid4())]
    plain: dict[tuple, dict[int, int]] = {each: {} for each in subjects}
    kept = 0
    async with tenant.work(tenant.id) as uow:
        for number in range(12):
            for _ in range(seeded.choice([1, 1, 2])):  # an hour later the same day
                named = {each: seeded.choice([0, 40, 41]) for each in subjects if seeded.random() < 0.7}
                for each in subjects:
                    plain[each][number] = named.get(each, 0)
                kept += await uow.risk_history.keep(day(number), named)
        for each in subjects:
            for since in range(12):
                told = await uow.risk_history.days(*each, day(since))
                assert [one.day for one in told] == sorted({one.day for one in told})
                for number in range(since, 12):
                    standing = [one.score for one in told if one.day <= day(number)]
                    assert (standing[-1] if standing else 0) == plain[each][number], (each, since, number)
    assert 0 < kept < 12 * len(subjects)


async def test_nothing_new_keeps_nothing_and_others_are_not_touched(tenant, other) -> None:
    mine = {(Subject.ORGANISATION, tenant.id): 40}
    async with tenant.work(tenant.id) as uow:
        assert await uow.risk_history.keep(day(1), mine) == 1
        assert await uow.risk_history.keep(day(1), mine) == 0
        assert await uow.risk_history.keep(day(2), mine) == 0
    async with other.work(other.id) as uow:
        assert await uow.risk_history.keep(day(3), {}) == 0
        assert await uow.risk_history.days(Subject.ORGANISATION, tenant.id, day(0)) == []


async def test_the_relay_keeps_targets_units_and_the_organisation(outbox, quiet_tenant) -> None:
    tenant, clock = quiet_tenant, Clock(1)
    risking = Risking(tenant.work, clock, TimeOrderedIds())
    unit = await Units(tenant.work, clock, TimeOrderedIds()).create(tenant.id, "Retail")
    async with tenant.work(tenant.id) as uow:
        await uow.targets.edit(tenant.target.id, 1, unit_id=unit.id)
    keeping = Keeping(outbox, clock, risking.record)
    await keeping.keep()
    campaign = await tenant.campaign(1)
    await tenant.record(tenant.sight(await tenant.scan(campaign), 443))
    ref = CampaignRef(organisation_id=tenant.id, campaign_id=campaign.id, round=1)
    await Analysis(tenant.work, clock).analyse(ref)
    await keeping.keep()  # within the hour
    assert await risking.history(tenant.id, Subject.TARGET, tenant.target.id) == []
    clock.day += 1
    await keeping.keep()
    present = (await risking.target(tenant.id, tenant.target.id)).risk.score
    assert present > 0
    for subject, subject_id in (
        (Subject.TARGET, tenant.target.id), (Subject.UNIT, unit.id), (Subject.ORGANISATION, tenant.id),
    ):  # fmt: skip
        assert await risking.history(tenant.id, subject, subject_id) == [RiskDay(day(2), present)], subject
    for subject in (Subject.TARGET, Subject.UNIT):
        with pytest.raises(NotFoundError):
            await risking.history(tenant.id, subject, uuid4())
