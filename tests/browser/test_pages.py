"""Every page, in light, dark and on a phone: what it shows, and that nothing in it is out of order."""

import pytest

from tests.browser.conftest import NARROW, WIDE

PAGES = {
    "campaign-running": "/campaigns/{running}",
    "overview": "/",
    "campaigns": "/campaigns",
    "campaign-ended": "/campaigns/{campaign}",
    "nothing-to-compare": "/campaigns/{campaign}/comparison",
    "start": "/campaigns/new",
    "import": "/campaigns/import",
    "schedules": "/schedules",
    "schedule": "/schedules/{schedule}",
    "schedule-new": "/schedules/new",
    "targets": "/targets",
    "units": "/targets/units",
    "analytics": "/targets/analytics?by=category&filter=tags:trends-drawn",
    "unit": "/targets/units/{unit}",
    "target-import": "/targets/import",
    "target": "/targets/{target}",
    "machines": "/targets/machines",
    "machine": "/targets/{named}",
    "authorisations": "/authorisations",
    "refusals": "/authorisations/refusals",
    "vulnerabilities": "/vulnerabilities",
    "vulnerability": "/vulnerabilities/{vulnerability}",
    "triages": "/vulnerabilities/triage",
    "causes": "/vulnerabilities/causes",
    "attack-paths": "/attack-paths?filter=tags:paths-drawn",
    "false-positives": "/vulnerabilities/false-positives",
    "searched": "/vulnerabilities?q=made*",
    "searches": "/vulnerabilities/searches?query=made*",
    "nothing-found": "/vulnerabilities?severity=critical&state=fixed",
    "compliance": "/compliance",
    "framework": "/compliance/pci-dss",
    "risk": "/risk",
    "sla": "/sla",
    "trends": "/trends?filter=tags:trends-drawn",
    "nothing-known": "/trends?filter=tags:nowhere",
    "reports": "/reports",
    "report": "/reports/{report}",
    "health": "/health",
}
LOOKS = {
    "light": {"color_scheme": "light", "viewport": WIDE},
    "dark": {"color_scheme": "dark", "viewport": WIDE},
    "narrow": {"color_scheme": "light", "viewport": NARROW},
}
COLOURS = ("color-contrast", "link-in-text-block")
"""What is else in the dark: the document and where it stands on a wide page are those of the light."""


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_is_accessible_and_fits(visit, scene, running, look) -> None:
    wrong = []
    async with visit(**LOOKS[look]) as visitor:
        for name, path in PAGES.items():
            page = await visitor.go(path.format(running=running.id, **vars(scene)))
            await visitor.picture(f"{name}-{look}.png")
            wrong += [f"{name}: {each}" for each in await visitor.accessible(*COLOURS if look == "dark" else ())]
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            wrong += [f"{name}: {wide} px too wide"] if wide else []
            assert await page.evaluate("window.owned") is None
    assert wrong == []
