"""Targets that are tested no more, on a real PostgreSQL: nothing is lost, and all of it comes back."""

from uuid import uuid4

import pytest

from purple.contracts.campaigns import CampaignRef
from purple.domain.errors import ConflictError, InvalidInputError, PreconditionFailedError
from purple.domain.identity import Actor
from purple.domain.life import Wanted
from purple.domain.pages import Query
from purple.domain.vulnerabilities import VulnerabilityState
from purple.services import retiring
from purple.services.analysis import Analysis
from purple.services.compliance.frameworks import Frameworks
from purple.services.life import Life
from purple.services.retiring import Retiring
from purple.services.targets import Targets
from purple.toolkit.world import TimeOrderedIds
from tests.integration.db.conftest import Clock, Tenant

S = VulnerabilityState


class House:
    """A tenant with a target of three vulnerabilities, one of which is a false positive."""

    def __init__(self, tenant: Tenant) -> None:
        made = (Clock(2), TimeOrderedIds())
        self.tenant = tenant
        self.ann = Actor(uuid4(), tenant.id, "ann")
        self.retiring = Retiring(tenant.work, *made)
        self.targets = Targets(tenant.work, Frameworks(), *made)
        self.life = Life(tenant.work, *made)
        self.analysis = Analysis(tenant.work, made[0])

    async def look(self, *ports: int) -> None:
        campaign = await self.tenant.campaign(1)
        scan = await self.tenant.scan(campaign)
        await self.tenant.record(*(self.tenant.sight(scan, port) for port in ports))
        await self.analysis.analyse(CampaignRef(organisation_id=self.tenant.id, campaign_id=campaign.id, round=1))

    async def edit(self, port: int, state: S) -> None:
        one = await self.one(port)
        await self.life.edit(one.id, one.version, Wanted(state, why="looked at it"), self.ann)

    async def one(self, port: int):
        async with self.tenant.work(self.tenant.id) as uow:
            return (await uow.findings.vulnerabilities(Query(filter=f"port:{port}"))).items[0]

    async def states(self) -> dict[int, S]:
        async with self.tenant.work(self.tenant.id) as uow:
            rows = (await uow.findings.vulnerabilities(Query(sort="port"))).items
        return {each.port: each.state for each in rows}

    async def retire(self, why: str = "sold"):
        target = await self.targets.get(self.tenant.id, self.tenant.target.id)
        return await self.retiring.retire(target.id, target.version, why, self.ann)

    async def restore(self):
        target = await self.targets.get(self.tenant.id, self.tenant.target.id)
        return await self.retiring.restore(target.id, target.version, self.ann)


@pytest.fixture
async def house(tenant) -> House:
    made = House(tenant)
    await made.look(1, 2, 3)
    await made.edit(3, S.FALSE_POSITIVE)
    await made.edit(2, S.CONFIRMED)
    return made


@pytest.mark.parametrize("at_once", [1, 5_000])
async def test_what_is_retired_counts_no_more_and_comes_back_as_it_was(house, monkeypatch, at_once) -> None:
    monkeypatch.setattr(retiring, "MAX_AT_ONCE", at_once)
    tenant = house.tenant
    target = await house.retire()
    assert (target.retired_by, target.version) == ("ann", 2)
    assert await house.states() == {1: S.OUT_OF_SCOPE, 2: S.OUT_OF_SCOPE, 3: S.FALSE_POSITIVE}
    assert (await house.targets.page(tenant.id, Query())).items == ()
    assert [each.id for each in (await house.targets.page(tenant.id, Query(filter="-retired_at:none"))).items] == [
        target.id
    ]
    (change,) = (
        await house.life.history(tenant.id, (await house.one(2)).id, Query(filter="actor:ann", sort="-at"))
    ).items[:1]
    assert (change.why, change.after["state"]) == ("sold", "out_of_scope")
    await house.edit(1, S.OPEN)  # somebody says otherwise meanwhile
    await house.edit(1, S.TRIAGED)
    restored = await house.restore()
    assert (restored.retired_at, restored.retired_by, restored.version) == (None, "", 3)
    assert await house.states() == {1: S.TRIAGED, 2: S.CONFIRMED, 3: S.FALSE_POSITIVE}
    await house.retire()
    assert (await house.states())[1] is S.OUT_OF_SCOPE


async def test_it_is_not_registered_again_and_not_retired_twice(house) -> None:
    target = await house.retire()
    for act in (house.retire, lambda: house.targets.create(house.tenant.id, "192.0.2.7")):
        with pytest.raises(ConflictError, match="retired"):
            await act()
    with pytest.raises(PreconditionFailedError):
        await house.retiring.restore(target.id, 1, house.ann)
    await house.restore()
    with pytest.raises(ConflictError, match="not retired"):
        await house.restore()
    with pytest.raises(InvalidInputError, match="say why"):
        await house.retire(" ")
    assert (await house.states())[2] is S.CONFIRMED


async def test_one_without_vulnerabilities_is_retired_too(tenant) -> None:
    house = House(tenant)
    assert (await house.retire()).retired_at is not None
    assert (await house.restore()).retired_at is None
