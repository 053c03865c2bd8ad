"""What people do: sign in, start a campaign by keyboard and watch it, look at hostile names, sign out."""

import asyncio
import re
from uuid import uuid4

import httpx
from playwright.async_api import Page, Route, expect

from cli.console import link
from purple.domain.imports import MAX_IMPORT
from purple.domain.life import Chosen, Wanted
from purple.domain.pages import Query
from purple.domain.vulnerabilities import VulnerabilityState
from purple.services.identity import ADMINISTRATOR
from tests.browser.conftest import HOSTILE, NARROW, WIDE
from tests.integration.test_import import bring_in, without
from tests.support.running import ROOT

SCAN = ROOT / "purple/tools/nmap/samples/nmap-7.93-lab-scripts.xml"

LOOKS = {
    "light": {"color_scheme": "light", "viewport": WIDE},
    "dark": {"color_scheme": "dark", "viewport": WIDE},
    "narrow": {"color_scheme": "light", "viewport": NARROW},
}


async def press_until(page: Page, key: str, what: str) -> None:
    """Press a key until the focus is on something of this name."""
    for _ in range(60):
        await page.keyboard.press(key)
        name = await page.evaluate("(document.activeElement.innerText || document.activeElement.value || '').trim()")
        label = await page.evaluate(
            "[...(document.activeElement.labels || [])].map(each => each.innerText).join(' ') || ''"
        )
        if re.search(what, f"{name} {label}".strip()):
            return
    raise AssertionError(f"{key} never comes to {what!r}")


async def test_by_keyboard_alone_from_the_link_to_the_end_of_a_campaign(visit, container, workers, purple) -> None:
    await container.targets.create(purple.organisation, "127.6.1.1", name="Keyboard")
    await purple.authorisation("127.6.1.1")
    async with visit(signed_in=False) as visitor:
        page = visitor.page
        await page.goto(await link(container))
        await page.keyboard.press("Enter")  # the button has the focus
        await page.wait_for_url("**/console/")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        await press_until(page, "Tab", "^Start a campaign")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/campaigns/new")
        await press_until(page, "Tab", "Keyboard")
        if not await page.evaluate("document.activeElement.checked"):  # the only target there is is chosen already
            await page.keyboard.press("Space")
        await press_until(page, "Tab", "^standard|^web|^discovery")
        while await page.evaluate("document.activeElement.value") != "made":
            await page.keyboard.press("ArrowUp")
        await press_until(page, "Tab", "^Start$")
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile(r"/campaigns/[0-9a-f-]{36}$"))
        await expect(page.locator(".head .state")).to_have_text("completed", timeout=60_000)
        await expect(page.locator(".scan .state")).to_have_text(["complete"])


async def test_the_timeline_changes_without_a_reload_and_cancel_stops_it(visit, container, running) -> None:
    async with visit() as visitor:
        page = await visitor.go(f"/campaigns/{running.id}")
        await page.evaluate("window.sameDocument = true")
        made = page.locator(".scan").filter(has=page.get_by_text("made", exact=True))
        await expect(made.locator(".state")).to_have_text("running")
        await expect(made).to_contain_text(re.compile(r"Last output\s*(just now|\d+ s ago)"), timeout=15_000)
        await expect(page.locator(".steps")).to_contain_text("known steps done")
        await expect(page.locator("body")).not_to_contain_text("%")
        await page.get_by_text("Cancel…").click()
        await page.get_by_role("button", name="Cancel this campaign").click()
        await page.wait_for_load_state()
        await page.evaluate("window.sameDocument = true")
        await expect(page.locator(".head .state")).to_have_text("cancelled", timeout=30_000)
        await expect(page.locator(".stage-missed")).not_to_have_count(0)
        assert await page.evaluate("window.sameDocument") is True
        assert await page.get_by_text("Cancel…").count() == 0


async def test_a_question_stays_when_an_answer_comes_that_was_on_its_way(visit, running) -> None:
    async with visit() as visitor:
        page = await visitor.go(f"/campaigns/{running.id}")
        asked, opened = asyncio.Event(), asyncio.Event()

        async def held_back(route: Route) -> None:
            asked.set()
            await opened.wait()
            await route.continue_()

        await page.route(f"**/campaigns/{running.id}", held_back)
        await asyncio.wait_for(asked.wait(), 30)
        await page.get_by_text("Cancel…").click()
        await page.evaluate(
            "void (window.answered = new Promise(done => addEventListener('htmx:afterOnLoad', () => done())))"
        )
        opened.set()
        await page.evaluate("window.answered")
        await expect(page.get_by_role("button", name="Cancel this campaign")).to_be_visible()


async def test_a_campaign_is_paused_resumed_and_its_failures_run_again(visit, purple, tmp_path) -> None:
    marker = tmp_path / "marker"
    campaign = await purple.start("127.6.1.2", "made-missing", made={"mode": "slow", "marker": str(marker)})
    async with visit() as visitor:
        page = await visitor.go(f"/campaigns/{campaign.id}")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.locator(".head .state")).to_have_text("paused", timeout=30_000)
        await page.get_by_role("button", name="Resume").click()
        await expect(page.locator(".head .state")).to_have_text("running", timeout=30_000)
        async with asyncio.timeout(60):
            while not marker.exists():
                await asyncio.sleep(0.05)
        marker.unlink()
        await expect(page.locator(".head .state")).to_have_text("completed with gaps", timeout=60_000)
        await page.get_by_role("button", name="Retry what failed").click()
        await expect(page.locator(".facts")).to_contain_text("Round", timeout=30_000)
        await expect(page.locator(".head .state")).to_have_text("completed with gaps", timeout=60_000)
        await expect(page.locator(".scan", has_text="made-missing")).to_contain_text("no-such-program-anywhere")


async def test_a_tool_that_waits_for_a_second_person_is_approved(visit, purple) -> None:
    options = {"made-noop": {"artifact": await purple.container.objects.put(b"")}}
    campaign = await purple.start("127.6.1.7", "made-approved", **options)
    async with purple.container.work(purple.organisation) as uow:  # as if somebody else had started it
        await uow.campaigns.update(campaign.id, created_by=uuid4())
    async with visit() as visitor:
        page = await visitor.go(f"/campaigns/{campaign.id}")
        asked = page.locator("#asked-made")
        await expect(asked.get_by_role("heading")).to_have_text("made waits for a second person", timeout=30_000)
        assert await visitor.accessible() == []
        await asked.get_by_label("Reason").fill("agreed with the owner")
        await visitor.picture("campaign-asked.png")
        await asked.get_by_role("button", name="Approve made").click()
        await expect(page.locator(".head .state")).to_have_text("completed", timeout=60_000)
        await expect(asked).to_have_count(0)


async def test_results_from_elsewhere_are_imported(visit, workers, purple, tmp_path) -> None:
    await purple.authorisation("127.6.4.0/24", name="for the import")
    (tmp_path / "page.html").write_text("<html/>")
    (tmp_path / "scan.xml").write_bytes(SCAN.read_bytes().replace(b"127.0.0.1", b"127.6.4.1"))
    async with visit() as visitor:
        page = await visitor.go("/campaigns")
        await page.get_by_role("link", name="Import results").click()
        await page.get_by_label("File that the tool wrote").set_input_files(tmp_path / "page.html")
        contract = page.locator("#authorisation_id option", has_text="for the import").first
        await page.get_by_label("Authorisation", exact=True).select_option(await contract.get_attribute("value"))
        await page.get_by_label("Register new hosts").check()
        await page.locator("#name").fill("Results of the other team")
        await page.get_by_role("button", name="Import").click()
        await expect(page.get_by_role("alert")).to_contain_text("is of no known format")
        await expect(page.get_by_label("Format")).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_label("Register new hosts")).to_be_checked()
        await expect(page.get_by_text("Choose the file again")).to_be_visible()
        assert await visitor.accessible() == []
        await visitor.picture("import-refused.png")
        await page.get_by_label("File that the tool wrote").set_input_files(tmp_path / "scan.xml")
        await page.get_by_role("button", name="Import").click()
        await page.wait_for_url(re.compile(r"/campaigns/[0-9a-f-]{36}$"))
        await expect(page.get_by_role("heading", level=1)).to_have_text("Results of the other team")
        await expect(page.locator(".head .state")).to_have_text("completed", timeout=60_000)
        await expect(page.locator(".scan")).to_contain_text("127.6.4.1")
        visitor.complaints.clear()  # Chromium tells of the 422


async def test_a_file_that_is_too_large_is_not_even_sent(visit, purple, tmp_path) -> None:
    await purple.authorisation("127.6.4.0/24")
    huge = tmp_path / "huge.xml"
    with huge.open("wb") as file:
        file.truncate(MAX_IMPORT + 1)  # a hole: it takes no room
    async with visit() as visitor:
        page = await visitor.go("/campaigns/import")
        chosen = page.get_by_label("File that the tool wrote")
        await chosen.set_input_files(huge)
        assert "import it in parts" in await chosen.evaluate("each => each.validationMessage")
        await page.get_by_role("button", name="Import").click()
        assert page.url.endswith("/campaigns/import")


async def test_the_last_campaign_comes_first(visit, purple) -> None:
    for number in range(3, 6):
        await purple.run(f"127.6.1.{number}")
    async with visit() as visitor:
        page = await visitor.go("/campaigns")
        names = await page.locator("tbody th a").all_inner_texts()
        assert names[:3] == [f"test 127.6.1.{number}" for number in (5, 4, 3)]
        page = await visitor.go("/")
        last = page.locator("section", has=page.get_by_role("heading", name="Last campaigns")).locator(".row-title")
        assert (await last.all_inner_texts())[:3] == names[:3]


async def test_markup_in_names_stays_text(visit, scene, running) -> None:
    async with visit() as visitor:
        for path in ("/targets", "/campaigns", "/schedules", f"/schedules/{scene.schedule}", "/"):
            page = await visitor.go(path)
            await expect(page.get_by_text(HOSTILE).first).to_be_visible()
        page = await visitor.go(f"/vulnerabilities/{scene.vulnerability}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(1)</script>")
        await expect(page.locator("pre").first).to_have_text("<img src=x onerror=alert(1)>")
        assert await page.locator("pre img").count() == 0
        assert await page.evaluate("window.owned") is None


async def test_a_report_shows_in_a_frame_that_runs_nothing(visit, scene) -> None:
    async with visit() as visitor:
        page = await visitor.go(f"/reports/{scene.report}")
        frame = page.frame_locator("iframe")
        await expect(frame.get_by_role("heading", name="What was found")).to_be_visible()
        assert await page.locator("iframe").get_attribute("sandbox") == ""
        async with page.expect_download() as downloading:
            await page.get_by_text("Download HTML").click()
        assert (await downloading.value).suggested_filename == f"purple-{scene.campaign}.html"


async def test_what_was_covered_is_readable_on_a_phone(visit, scene) -> None:
    async with visit(viewport=NARROW) as visitor:
        page = await visitor.go(f"/reports/{scene.report}")
        why = page.frame_locator("iframe").locator("td[data-label=Why]", has_text="no-such-program")
        box = await why.bounding_box()
        assert box is not None
        assert box["width"] > NARROW["width"] * 0.7, "a line of its own"


async def test_a_theme_that_is_chosen_stays(visit) -> None:
    async with visit(color_scheme="light") as visitor:
        page = await visitor.go("/health")
        light = await page.evaluate("getComputedStyle(document.body).color")
        toggle = page.get_by_role("button", name=re.compile("Theme"))
        await toggle.click()
        await toggle.click()
        await expect(toggle).to_have_text("Theme: dark")
        await page.reload()
        assert await page.evaluate("getComputedStyle(document.body).color") != light


async def test_a_phone_has_its_menu(visit) -> None:
    async with visit(viewport=NARROW) as visitor:
        page = await visitor.go("/health")
        await expect(page.get_by_role("link", name="Targets")).to_be_hidden()
        await page.get_by_role("button", name="Menu").click()
        await page.get_by_role("link", name="Targets").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Targets")


async def test_forms_say_what_is_wrong_and_keep_what_was_written(visit) -> None:
    async with visit() as visitor:
        page = await visitor.go("/targets")
        await page.get_by_text("Register a target").click()
        await page.get_by_label("Address, network").fill("a b")
        await page.get_by_role("button", name="Register").click()
        await expect(page.get_by_role("alert")).to_contain_text("neither a host name nor an IP address")
        await expect(page.get_by_label("Address, network")).to_have_value("a b")
        assert await visitor.accessible() == []
        await visitor.picture("target-refused.png")
        visitor.complaints.clear()  # Chromium tells the console of every 422


async def test_an_authorisation_is_written_and_revoked(visit) -> None:
    async with visit() as visitor:
        page = await visitor.go("/authorisations")
        await page.get_by_text("Write an authorisation").click()
        await page.get_by_label("Name").fill("Autumn test")
        await page.get_by_label("Signed by").fill("Jo Doe, owner")
        await page.get_by_label("In scope").fill("127.6.3.0/24\n*.autumn.example.org")
        await visitor.picture("authorisation-form.png")
        await page.get_by_role("button", name="Write it down").click()
        mine = page.get_by_role("listitem").filter(has_text="Autumn test")
        await expect(mine.locator(".contract-head .state")).to_have_text("holds")
        await mine.get_by_text("Revoke…").click()
        await mine.get_by_role("button", name="Revoke it").click()
        await expect(mine.locator(".contract-head .state")).to_have_text("revoked")


async def test_a_schedule_is_looked_at_before_it_is_saved_and_then_paused(visit, container, purple) -> None:
    await container.targets.create(purple.organisation, "127.23.5.1", name="Scheduled")
    await purple.authorisation("127.23.5.1", name="for the schedule")
    async with visit() as visitor:
        page = await visitor.go("/schedules/new")
        await page.get_by_label("Name", exact=True).fill("Every night")
        await page.get_by_label("When, one").fill("61 2 * * *")
        await page.get_by_label("Time zone").fill("Europe/Berlin")
        await page.get_by_label("Scheduled").check()
        await page.locator("input[name=profile][value=made]").check()
        await page.get_by_role("button", name="Show the next ten runs").click()
        await expect(page.get_by_role("alert")).to_contain_text("'61' is no minute")
        await page.get_by_label("When, one").fill("30 2 * * *")
        await page.get_by_role("button", name="Show the next ten runs").click()
        await expect(page.locator(".preview tbody tr")).to_have_count(10)
        await expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
        assert await visitor.accessible() == []
        await visitor.picture("schedule-preview.png")
        contract = page.locator("#authorisation_id option", has_text="for the schedule").first
        await page.locator("#authorisation_id").select_option(await contract.get_attribute("value"))
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Every night")
        await page.get_by_text("Pause…").click()
        await page.get_by_label("Why").fill("change freeze")
        await page.get_by_role("button", name="Pause it").click()
        await expect(page.locator(".head .state")).to_have_text("paused")
        await expect(page.locator(".notice")).to_contain_text("Change freeze.")
        await page.get_by_text("Delete…").click()
        await page.get_by_role("button", name="Delete this schedule").click()
        await page.wait_for_url("**/schedules")
        visitor.complaints.clear()  # Chromium tells of the 422


async def test_errors_are_pages_that_say_what_to_do(visit) -> None:
    async with visit() as visitor:
        for path, status in (("/nowhere", 404), ("/campaigns/not-an-id", 422), ("/vulnerabilities?cursor=x", 422)):
            answer = await visitor.page.goto(f"{visitor.url}/console{path}")
            assert answer is not None
            assert answer.status == status
            await expect(visitor.page.get_by_role("link", name="To the overview")).to_be_visible()
            assert await visitor.accessible() == []
        await visitor.picture("problem.png")
        visitor.complaints.clear()  # as above


async def test_signing_out_ends_the_session_everywhere(visit, container) -> None:
    async with visit(signed_in=False) as visitor:
        page = await visitor.go("/sign-in")
        await visitor.picture("sign-in.png")
        card = await page.locator("main").bounding_box()
        assert card is not None
        assert abs(card["x"] + card["width"] / 2 - WIDE["width"] / 2) < 2, "in the middle"
        assert await visitor.accessible() == []
        address = await link(container)
        await page.goto(address)
        await visitor.picture("sign-in-link.png")
        assert await visitor.accessible() == []
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url("**/console/")
        (cookie,) = await visitor.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/console")
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url("**/sign-in")
        async with httpx.AsyncClient(cookies={cookie["name"]: cookie["value"]}) as thief:
            assert (await thief.get(f"{visitor.url}/console/")).status_code == 401
        await page.goto(address)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_text("was used")).to_be_visible()
        visitor.complaints.clear()  # Chromium tells of the 401


async def test_many_are_looked_at_changed_and_put_back(visit, purple) -> None:
    await purple.run("127.6.1.8", made={"flaws": [80, 81, 82]})
    target = (await purple.container.targets.ensure(purple.organisation, "127.6.1.8")).id
    async with visit() as visitor:
        page = await visitor.go(f"/vulnerabilities?target={target}")
        ticks = page.get_by_role("checkbox")
        await expect(ticks).to_have_count(3)
        await ticks.nth(0).check()
        await ticks.nth(2).check()
        decide = page.locator("fieldset")
        asked = page.get_by_text("Decide on many").first
        await asked.click()
        await decide.get_by_label("State").select_option("false positive")
        await decide.get_by_label("Why").fill(f"noise of the lab {HOSTILE}")
        await decide.get_by_label("Due").fill("2126-01-31")
        await page.get_by_role("button", name="Look what would change").click()
        await expect(page.get_by_text("2 would change; nothing has changed yet")).to_be_visible()
        await expect(page.get_by_text("Due 2126-01-31 23:59 UTC.")).to_be_visible()
        assert {str(each.state) for each in await purple.vulnerabilities("127.6.1.8")} == {"open"}
        assert await visitor.accessible() == []
        for look, options in (("light", {}), ("dark", {"color_scheme": "dark"})):
            await page.emulate_media(**options)
            await visitor.picture(f"triage-{look}.png")
        await page.get_by_role("button", name="Change 2").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Done")
        states = sorted(str(each.state) for each in await purple.vulnerabilities("127.6.1.8"))
        assert states == ["false_positive", "false_positive", "open"]
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("2 put back as they were, 0 left alone")).to_be_visible()
        page = await visitor.go(f"/vulnerabilities?target={target}&state=open")
        await asked.click()
        await decide.get_by_label("Which").select_option("all that match")
        await decide.get_by_label("State").select_option("reopened")
        await decide.get_by_label("Why").fill("all of them")
        await page.get_by_role("button", name="Look what would change").click()
        await expect(page.get_by_text("0 would change")).to_be_visible()
        await expect(page.get_by_text("A vulnerability that is open cannot become reopened.")).to_be_visible()
        await visitor.go(f"/vulnerabilities?target={target}&state=open&q=made*")
        await asked.click()
        await decide.get_by_label("Which").select_option("all that match")
        await decide.get_by_label("State").select_option("triaged")
        await decide.get_by_label("Why").fill("all of them")
        await page.get_by_role("button", name="Look what would change").click()
        await page.get_by_role("button", name="Change 3").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Done")
        assert {str(each.state) for each in await purple.vulnerabilities("127.6.1.8")} == {"triaged"}
        await visitor.go("/vulnerabilities")
        await asked.click()
        await page.get_by_label("Why").fill("x")
        await page.get_by_role("button", name="Look what would change").click()
        await expect(page.get_by_role("alert")).to_contain_text("Nothing is ticked")
        visitor.complaints.clear()  # the browser tells of the 422 that is meant


async def test_what_was_decided_at_once_is_listed_with_a_way_back(visit, purple) -> None:
    await purple.run("127.6.1.12", made={"flaws": [80]})
    (one,) = await purple.vulnerabilities("127.6.1.12")
    wanted = Wanted(VulnerabilityState.CONFIRMED, why="all of the lab")
    await purple.container.mass_triage.apply(Chosen((one.id,)), wanted, ADMINISTRATOR)
    async with visit() as visitor:
        page = await visitor.go("/vulnerabilities")
        await page.get_by_role("link", name="Decided at once").click()
        mine = page.locator("tbody tr", has_text="all of the lab")
        await mine.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("1 put back as they were, 0 left alone")).to_be_visible()
        await visitor.go("/vulnerabilities/triage")
        await expect(mine).to_contain_text("undone by admin")


async def test_one_is_decided_on_and_talked_about(visit, purple) -> None:
    await purple.run("127.6.1.9", made={"flaws": [80]})
    (one,) = await purple.vulnerabilities("127.6.1.9")
    async with visit() as visitor:
        page = await visitor.go(f"/vulnerabilities/{one.id}")
        await expect(page.locator(".waterfall tbody tr").last).to_contain_text(f"Risk{one.risk}")
        await page.get_by_text("Decide", exact=True).click()
        await page.locator("#state").select_option("risk accepted")
        await page.locator("#why").fill("behind a firewall")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_contain_text("A risk is accepted until a day in the future")
        assert await visitor.accessible() == []
        visitor.complaints.clear()  # the browser tells of the 422 that is meant
        await page.get_by_label("Accepted until").fill("2090-01-31")
        await page.get_by_label("Owner").fill("admin")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".facts")).to_contain_text("risk accepted until 2090-01-31 23:59 UTC")
        await expect(page.locator("section", has=page.get_by_role("heading", name="What changed"))).to_contain_text(
            "behind a firewall"
        )
        await page.get_by_label("Say something").fill(HOSTILE)
        await page.get_by_role("button", name="Comment").click()
        await expect(page.locator(".rows .prose")).to_have_text(HOSTILE)
        assert await page.evaluate("window.owned") is None
        await page.get_by_text("Decide", exact=True).click()
        for look, options in LOOKS.items():
            await page.emulate_media(color_scheme=options["color_scheme"])
            await page.set_viewport_size(options["viewport"])
            await visitor.picture(f"decide-{look}.png")
            assert await visitor.accessible() == []
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide == 0
        await page.locator("#due_at").fill("2091-01-31")
        (known,) = await purple.vulnerabilities("127.6.1.9")
        await purple.container.life.edit(known.id, known.version, Wanted(owner=""), ADMINISTRATOR)
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_contain_text("The vulnerability was changed meanwhile")
        visitor.complaints.clear()  # and of the 412


async def test_a_person_says_which_sightings_are_one_flaw(visit, purple) -> None:
    host = "127.6.1.11"
    for rule in ("made:flaw", "made:other"):
        await purple.run(host, made={"flaws": [80], "rule": rule})
    one, other = await purple.vulnerabilities(host)
    async with visit() as visitor:
        page = await visitor.go(f"/vulnerabilities/{one.id}")
        card = page.locator("section", has=page.get_by_role("heading", name="Why this is one flaw"))
        await page.get_by_text("Say otherwise", exact=True).click()
        await page.get_by_label("The same flaw is").fill(str(other.id))
        await page.locator("#join-why").fill("one check, told twice")
        await page.get_by_role("button", name="Join it with this").click()
        await expect(card).to_contain_text("Another was joined with it")
        await expect(card.locator("tbody tr")).to_have_count(2)
        for look, options in LOOKS.items():
            await page.emulate_media(color_scheme=options["color_scheme"])
            await page.set_viewport_size(options["viewport"])
            await visitor.picture(f"one-flaw-{look}.png")
            assert await visitor.accessible() == []
            assert (
                await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
            )
        await visitor.go(f"/vulnerabilities/{other.id}")
        await page.get_by_role("link", name="another vulnerability").click()
        await page.get_by_text("Say otherwise", exact=True).click()
        await page.locator("#witness").select_option("made made:other")
        await page.locator("#split-why").fill("another one")
        await page.get_by_role("button", name="Split it off").click()
        await expect(card).to_contain_text("What made made:other saw was split into this")
        await card.get_by_role("button", name="Undo").click()
        await expect(card).to_contain_text("It is a duplicate")
        await visitor.go(f"/vulnerabilities/{one.id}")
        await page.get_by_text("Say otherwise", exact=True).click()
        await page.get_by_label("The same flaw is").fill("not one")
        await page.locator("#join-why").fill("x")
        await page.get_by_role("button", name="Join it with this").click()
        await expect(page.get_by_role("alert")).to_contain_text("Paste its id")
        await expect(page.get_by_label("The same flaw is")).to_have_value("not one")
        visitor.complaints.clear()  # the browser tells of the 422 that is meant


async def test_a_target_says_why_it_has_its_risk_and_is_changed(visit, purple) -> None:
    await purple.run("127.6.1.10", made={"flaws": [80, 81]})
    found = await purple.vulnerabilities("127.6.1.10")
    async with visit() as visitor:
        page = await visitor.go("/targets")
        await page.get_by_role("link", name="127.6.1.10", exact=True).click()
        risk = page.locator(".waterfall tbody tr").last
        before = (await purple.container.risking.target(purple.organisation, found[0].target_id)).risk.score
        await expect(risk).to_contain_text(f"Risk{before}")
        await expect(page.locator(".rows li")).to_have_count(2)
        await page.get_by_text("Change", exact=True).click()
        await page.get_by_label("Reached from").select_option("internet")
        await page.get_by_label("Data it holds").select_option("restricted")
        await page.get_by_label("virtual patch").check()
        await page.locator("#name").fill("")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_contain_text("A target has a name")
        await expect(page.get_by_label("Reached from")).to_have_value("internet")
        await expect(page.get_by_label("virtual patch")).to_be_checked()
        assert await visitor.accessible() == []
        visitor.complaints.clear()  # the browser tells of the 422 that is meant
        await page.locator("#name").fill(f"shop {HOSTILE}")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(f"shop {HOSTILE}")
        await expect(page.locator(".facts")).to_contain_text("restricted")
        await expect(page.locator(".facts")).to_contain_text("virtual patch")
        after = (await purple.container.risking.target(purple.organisation, found[0].target_id)).risk.score
        assert after > before
        await expect(risk).to_contain_text(f"Risk{after}")
        target = await purple.container.targets.get(purple.organisation, found[0].target_id)
        await page.get_by_text("Change", exact=True).click()
        await purple.container.targets.edit(purple.organisation, target.id, target.version, name="other")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_contain_text("The target was changed meanwhile")
        visitor.complaints.clear()  # and of the 412


async def test_what_changed_since_an_earlier_campaign_is_looked_at(visit, purple, workers) -> None:
    target = "https://git.example.org/looked-at.git"
    for rule in ("B324", "B602"):
        ended = await bring_in(purple, target, without(rule), series="nightly")
    other = await bring_in(purple, target, without("B101"))
    async with visit() as visitor:
        page = await visitor.go(f"/campaigns/{ended.id}")
        await page.get_by_role("link", name="What changed since an earlier campaign").click()
        await expect(page.get_by_label("Since")).to_have_count(1)
        for kind, title in (("New", "MD5"), ("Fixed", "shell=True")):
            section = page.locator("section", has=page.get_by_role("heading", name=kind, exact=True))
            await expect(section.locator("li")).to_have_count(1)
            await expect(section).to_contain_text(title)
        await expect(page.get_by_role("row", name="still there")).to_contain_text("Both saw it.")
        assert await visitor.accessible() == []
        for look, options in LOOKS.items():
            await page.emulate_media(color_scheme=options["color_scheme"])
            await page.set_viewport_size(options["viewport"])
            await visitor.picture(f"comparison-{look}.png")
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide == 0
        await visitor.go(f"/campaigns/{other.id}/comparison")
        untested = page.locator("section", has=page.get_by_role("heading", name="Not tested", exact=True))
        await expect(untested.locator("li")).to_have_count(1)
        back = page.locator("section", has=page.get_by_role("heading", name="Reopened", exact=True))
        await expect(back).to_contain_text("shell=True")


async def test_targets_come_from_a_file_after_a_look_at_what_would_change(visit, purple, tmp_path) -> None:
    file = tmp_path / "targets.csv"
    text = 'value,name,criticality\n127.6.9.1,"=1, <b>b</b>",high\n127.6.9.2,,huge\n'
    async with visit() as visitor:
        page = await visitor.go("/targets")
        await page.get_by_role("link", name="Import", exact=True).click()
        for written in (text, text.replace("huge", "low")):
            file.write_text(written)
            await page.get_by_label("File of targets").set_input_files(file)
            await page.get_by_role("button", name="Look what would change").click()
            await expect(page.get_by_role("heading", name="What would be changed")).to_be_visible()
            refused = page.locator("td[data-label=Value]", has_text="huge")
            await expect(refused).to_have_count(1 if written is text else 0)
            assert await visitor.accessible() == []
        await visitor.picture("target-import-look.png")
        await page.get_by_role("button", name="Import 2 targets").click()
        await expect(page.get_by_role("heading", name="What was changed")).to_be_visible()
        assert await visitor.accessible() == []
    page = await purple.container.targets.page(purple.organisation, Query(filter="value:127.6.9.1,127.6.9.2"))
    assert {each.name for each in page.items} == {"=1, <b>b</b>", "127.6.9.2"}
