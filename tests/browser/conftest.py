"""Debian's Chromium on the console of a running Purple."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from cli.console import link
from purple.bootstrap import Container
from purple.contracts.campaigns import CampaignInput, CampaignRef
from purple.domain.campaigns import Campaign, CampaignState
from purple.domain.errors import OutOfScopeError
from purple.domain.pages import Query
from purple.domain.schedules import RunOutcome, Schedule, Timing
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.services.analysis import Analysis
from purple.services.identity import ADMINISTRATOR
from purple.services.schedules import Wanted
from purple.toolkit.packages import find_program
from tests.integration.db.conftest import Tenant
from tests.integration.test_attack_paths import attacked
from tests.support.running import Purple

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
HOSTILE = "<script>window.owned = 1</script>"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One process; each visitor has a profile of its own."""
    found = find_program("chromium", packages=("chromium",))
    # Debian's wrapper starts /usr/lib/chromium/chromium, which is elsewhere when the package is only unpacked
    libraries = found.path.parents[1] / "lib"
    binary = libraries / "chromium/chromium"
    paths = [found.environment.get("LD_LIBRARY_PATH", ""), *map(str, libraries.glob("*/pulseaudio"))]
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=binary if binary.exists() else found.path,
            args=list(FLAGS),
            env=os.environ | found.environment | {"LD_LIBRARY_PATH": ":".join(filter(None, paths))},
            headless=True,
        )
        yield opened
        await opened.close()


@dataclass
class Visitor:
    """A browser with a page, and what went wrong in it."""

    context: BrowserContext
    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    async def go(self, path: str) -> Page:
        await self.page.goto(f"{self.url}/console{path}")
        return self.page

    async def picture(self, name: str) -> None:
        """Keep what it looks like, where somebody wants to see it."""
        if folder := os.environ.get("PURPLE_SCREENSHOTS"):
            await self.page.screenshot(path=Path(folder) / name, full_page=True)

    async def accessible(self, *rules: str) -> list[str]:
        """What axe-core finds against it, by all rules or by these."""
        await self.page.evaluate(AXE_SCRIPT)
        asked = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
        told = await self.page.evaluate("asked => axe.run(document, asked)", asked)
        return [f"{each['id']}: {node['html'][:160]}" for each in told["violations"] for node in each["nodes"]]


async def sign_in(visitor: Visitor, container: Container) -> None:
    await visitor.page.goto(await link(container))
    await visitor.page.get_by_role("button", name="Sign in").click()
    await visitor.page.wait_for_url("**/console/")


@pytest.fixture
def visit(browser, api, container) -> Callable[..., AbstractAsyncContextManager[Visitor]]:
    """Opens a visitor, signed in unless told otherwise; whatever its pages complain of fails the test."""

    @asynccontextmanager
    async def opened(*, signed_in: bool = True, **options: Any) -> AsyncIterator[Visitor]:
        context = await browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce"} | options)
        visitor = Visitor(context, await context.new_page(), api)
        visitor.page.set_default_timeout(15_000)
        visitor.page.on("console", lambda said: visitor.heard(said.type, said.text))
        visitor.page.on("pageerror", lambda error: visitor.heard("error", str(error)))
        if signed_in:
            await sign_in(visitor, container)
        try:
            yield visitor
            assert visitor.complaints == []
        finally:
            await context.close()

    return opened


@dataclass
class Scene:
    """What there is to see."""

    campaign: UUID
    vulnerability: UUID
    target: UUID
    report: UUID
    schedule: UUID
    unit: UUID
    named: UUID
    """A target that is a machine with another one."""


@pytest.fixture(scope="session")
async def scene(container, workers) -> Scene:
    """A campaign that ended with gaps, and a target whose name is markup."""
    purple = Purple(container)
    await container.targets.create(purple.organisation, "hostile.example.org", name=f"staging {HOSTILE}", tags=["dmz"])
    ended = await purple.run("127.6.0.1", "made-missing", made={"flaws": [443, 8443]})
    found = await purple.vulnerabilities("127.6.0.1")
    reports = (await container.reporting.page(purple.organisation, Query({"campaign_id": ended.id}))).items
    report = next(each.id for each in reports if each.format == "html")
    schedule = await scheduled(purple)
    await past(purple)
    await attacked(purple, "paths-drawn", "127.44.2")
    with pytest.raises(OutOfScopeError):  # something to see among refusals
        await container.campaigns.start(
            CampaignInput(
                organisation_id=purple.organisation,
                name="",
                profile="made",
                target_ids=((await purple.container.targets.ensure(purple.organisation, "192.0.2.7")).id,),
                authorisation_id=await purple.authorisation("127.6.0.0/24"),
            )
        )
    unit = await container.units.create(purple.organisation, f"Labs {HOSTILE.replace('/', '')}", owner="admin")
    means = {"category": "lab", "frameworks": ["cis", "pci-dss"], "custom": [f"rack={HOSTILE}"]}
    await container.targets.edit(purple.organisation, found[0].target_id, 1, unit_id=unit.id, **means)
    named = await one_machine(purple)
    return Scene(ended.id, found[0].id, found[0].target_id, report, schedule.id, unit.id, named)


@dataclass
class Then:
    """A clock of the past."""

    at: datetime

    def now(self) -> datetime:
        return self.at


async def past(purple: Purple) -> None:
    """Weeks in which vulnerabilities were found, fixed, dismissed and came back, as trends draw them."""
    container, start = purple.container, datetime.now(UTC) - timedelta(days=80)
    target = await container.targets.create(purple.organisation, "127.25.9.1", tags=["trends-drawn"])
    contract = await container.authorisations.get(purple.organisation, await purple.authorisation("127.25.9.0/24"))
    tenant = Tenant(container.work, purple.organisation, target, contract, start)
    bad = (Severity.MEDIUM, Severity.HIGH, Severity.LOW, Severity.INFO, Severity.CRITICAL)
    for week in range(11):
        campaign = await tenant.campaign(7 * week)
        state = ScanState.PARTIAL if week % 4 == 1 else ScanState.COMPLETE
        scan = await tenant.scan(campaign, state, ended_at=campaign.created_at + timedelta(seconds=40 + week))
        ports = [port for port in range(1, 60) if port % 11 <= week and (port * 7 + week) % 9]
        await tenant.record(*(tenant.sight(scan, port, severity=bad[port % 5]) for port in ports))
        clock = Then(start + timedelta(days=7 * week))
        ref = CampaignRef(organisation_id=purple.organisation, campaign_id=campaign.id, round=1)
        await Analysis(container.work, clock).analyse(ref)
        async with container.work(purple.organisation) as uow:
            await uow.metrics.fill(campaign.id, again=False)
            await uow.campaigns.update(campaign.id, state=CampaignState.COMPLETED, ended_at=clock.now())
    async with asyncio.timeout(60):
        while (await container.trends.trend(purple.organisation, filter_="tags:trends-drawn")).total.open != len(ports):
            await asyncio.sleep(0.1)


async def one_machine(purple: Purple) -> UUID:
    """A name and its URL with the same flaw, and addresses: one is another machine, and one is still to be decided."""
    container, organisation = purple.container, purple.organisation
    contract = await container.authorisations.get(organisation, await purple.authorisation("127.25.8.0/24"))
    balancer = await container.targets.create(organisation, "127.25.8.1")
    await container.targets.create(organisation, "127.25.8.2", name=f"box {HOSTILE}")
    name = await container.targets.create(organisation, "shop.example.org", name=f"Shop {HOSTILE}")
    url = await container.targets.create(organisation, "https://shop.example.org/")
    for target in (name, url):
        start = datetime.now(UTC) - timedelta(days=3)
        tenant = Tenant(container.work, organisation, target, contract, start)
        campaign = await tenant.campaign(1)
        scan = await tenant.scan(campaign, target_id=target.id, host="shop.example.org", address="127.25.8.2")
        await tenant.record(tenant.sight(scan, 443), tenant.sight(scan, 8443))
        ref = CampaignRef(organisation_id=organisation, campaign_id=campaign.id, round=1)
        await Analysis(container.work, Then(start)).analyse(ref)
        async with container.work(organisation) as uow:
            await uow.campaigns.update(campaign.id, state=CampaignState.COMPLETED, ended_at=start)
    await container.machine_keeping.split(name.id, balancer.id, f"a shared front {HOSTILE}", ADMINISTRATOR)
    return name.id


async def scheduled(purple: Purple) -> Schedule:
    """A schedule whose name is markup, with a run that was missed; the clocks change soon after it begins."""
    container = purple.container
    target = await container.targets.ensure(purple.organisation, "127.23.4.1")
    wanted = Wanted(
        name=f"Weekly {HOSTILE}",
        profile="made",
        target_ids=(target.id,),
        authorisation_id=await purple.authorisation("127.23.4.0/24"),
        timing=Timing(
            cron=("30 2 * * *",), time_zone="Europe/Berlin", start_at=datetime(2027, 3, 26, tzinfo=UTC), jitter_s=60
        ),
        owner=HOSTILE,
    )
    schedule = await container.schedules.create(purple.organisation, wanted)
    due = schedule.created_at - timedelta(days=1)
    async with container.work(purple.organisation) as uow:
        reason = f"the workflow server was away {HOSTILE}"
        await container.schedule_runs.write(uow, schedule, due, RunOutcome.MISSED, reason)
    return schedule


@pytest.fixture
async def running(container, workers) -> AsyncIterator[Campaign]:
    """A campaign with a tool that wrote something and hangs; its name is markup."""
    purple = Purple(container)
    target = await container.targets.ensure(purple.organisation, "127.6.0.2")
    campaign = await container.campaigns.start(
        CampaignInput(
            organisation_id=purple.organisation,
            name=f"Nightly {HOSTILE}",
            profile="made-missing",
            target_ids=(target.id,),
            authorisation_id=await purple.authorisation("127.6.0.0/24"),
            options={"made": {"mode": "hang", "flaws": [22]}},
        )
    )
    async with asyncio.timeout(60):
        while ScanState.RUNNING not in {scan.state for scan in await purple.scans(campaign)}:
            await asyncio.sleep(0.05)
    yield campaign
    await container.steering.cancel(purple.organisation, campaign.id)
    await purple.end(campaign, 60)
