"""Parts of the register beside each other, from the book of trends."""

from collections.abc import Sequence

import pytest

from purple.domain.analytics import By, Part
from purple.domain.deadlines import Rule
from purple.domain.errors import InvalidInputError
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.services.analytics import AnalyticsReader
from purple.services.units import Units
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db import test_trends
from tests.integration.db.test_trends import KEEP, House

above, house = test_trends.above, test_trends.house  # the fixtures


@pytest.fixture
async def register(house):
    """The first target is a shop of Retail, the second has nothing said of it; the third is in neither."""
    units = Units(house.work, house.clock, TimeOrderedIds())
    unit = await units.create(house.id, "Retail")
    await house.targets.edit(house.id, house.tenant.target.id, 1, category="shop", unit_id=unit.id, environment="test")
    await house.targets.create(house.id, "192.0.2.9", category="shop")
    yield house
    await house.keep()


async def parts(house: House, by: By, filter_: str = "") -> Sequence[Part]:
    first, last = house.tenant.start.date(), house.today
    reader = AnalyticsReader(house.work, house.clock, KEEP)
    return (await reader.targets(house.id, by, first, last, filter_)).parts


async def test_each_part_tells_what_is_open_overdue_fixed_covered_and_its_risk(register) -> None:
    retail = register
    await retail.deadlines.set_rules([Rule(each, 3) for each in Severity], retail.actor)
    await retail.looks(1, 2, 3)
    retail.clock.day += 2
    await retail.looks(1, 2)
    retail.clock.day += 4
    await retail.looks(7, at=retail.other, severity=Severity.CRITICAL, state=ScanState.PARTIAL)
    await retail.tenant.scan(await retail.tenant.campaign(retail.clock.day), ended_at=retail.clock.now())
    async with retail.work(retail.id) as uow:
        for campaign in await uow.campaigns.all():
            await uow.metrics.fill(campaign.id, again=False)
    await retail.keep()
    other, shop = await parts(retail, By.CATEGORY)
    assert (other.name, other.targets, other.covered, other.open, other.past_due) == ("", 1, 0, {"critical": 1}, 0)
    assert (shop.name, shop.targets, shop.covered, shop.open, shop.past_due) == ("shop", 2, 1, {"medium": 2}, 2)
    assert (shop.found, shop.fixed, shop.days_to_fix, shop.mean_age) == (3, 1, 2.0, 6.0)
    assert other.risk > shop.risk > 0
    by_unit = {each.name: each for each in await parts(retail, By.UNIT)}
    assert {name: (each.targets, each.found) for name, each in by_unit.items()} == {"": (2, 1), "Retail": (1, 3)}
    assert by_unit["Retail"].risk == shop.risk
    assert {each.name for each in await parts(retail, By.ENVIRONMENT)} == {"test", "unknown"}
    only = await parts(retail, By.CATEGORY, "unit:Retail")
    assert [(each.name, each.targets, each.found, each.risk) for each in only] == [("shop", 1, 3, shop.risk)]
    for by in By:
        assert sum(each.targets for each in await parts(retail, by)) == 3
        assert sum(each.found for each in await parts(retail, by)) == 4


async def test_a_wrong_filter_is_told(register) -> None:
    with pytest.raises(InvalidInputError, match="no field 'colour'"):
        await parts(register, By.UNIT, "colour:red")
