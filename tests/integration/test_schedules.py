"""Schedules on a real workflow server: told, triggered, back-filled, repaired, stopped, and why nothing happened."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from purple.bootstrap import Container
from purple.domain.campaigns import CampaignState
from purple.domain.errors import ConflictError, InvalidInputError, NotFoundError, OutOfScopeError
from purple.domain.events import Event
from purple.domain.pages import Query
from purple.domain.schedules import (
    Cause,
    RunOutcome,
    Schedule,
    ScheduleSeen,
    ScheduleState,
    Timing,
    preview_of,
)
from purple.services.schedule_keeping import ScheduleKeeping
from purple.services.schedule_runs import PastRun, ScheduleRuns
from purple.services.schedules import Wanted
from purple.settings import Settings
from tests.support.running import Purple

HOUR = timedelta(hours=1)


class MovedClock:
    """The container's clock, some time ahead."""

    def __init__(self, clock, ahead: timedelta) -> None:
        self._clock = clock
        self._ahead = ahead

    def now(self) -> datetime:
        return self._clock.now() + self._ahead


@dataclass
class Scheduling:
    """What the tests do to schedules."""

    purple: Purple

    @property
    def container(self) -> Container:
        return self.purple.container

    async def wanted(self, address: str, timing: Timing | None = None, tool: str = "made", **options: Any) -> Wanted:
        """A schedule whose profile is one tool, and called like it."""
        target = await self.container.targets.ensure(self.purple.organisation, address)
        return Wanted(
            name=f"schedule {uuid4()}",
            profile=tool,
            target_ids=(target.id,),
            authorisation_id=await self.purple.authorisation("127.23.0.0/16"),
            timing=timing or self.in_half_an_hour(),
            owner="jo@example.org",
            options={tool: options} if options else {},
        )

    async def make(self, address: str, timing: Timing | None = None, tool: str = "made", **options: Any) -> Schedule:
        wanted = await self.wanted(address, timing, tool, **options)
        return await self.container.schedules.create(self.purple.organisation, wanted)

    def in_half_an_hour(self) -> Timing:
        """Once an hour, and not soon."""
        return Timing(cron=(f"{(self.container.clock.now() + HOUR / 2).minute} * * * *",))

    def later(self, ahead: timedelta) -> ScheduleKeeping:
        """The relay's care for schedules, as it will be then."""
        clock = MovedClock(self.container.clock, ahead)
        runs = ScheduleRuns(self.container.work, self.container.campaigns, clock)
        return ScheduleKeeping(self.container.outbox, self.container.work, self.container.telling, runs, clock)

    async def now(self, schedule: Schedule) -> Schedule:
        return await self.container.schedules.get(schedule.organisation_id, schedule.id)

    async def seen(self, schedule: Schedule) -> ScheduleSeen | None:
        return await self.container.telling.scheduler.look(schedule.id)

    async def paused(self, schedule: Schedule, *, said: bool = True) -> None:
        """Until Temporal shows it so: a change is taken in by a workflow of its own."""

        async def shown() -> bool:
            seen = await self.seen(schedule)
            return seen is not None and seen.paused is said

        await until(shown, f"Temporal shows {'a pause' if said else 'no pause'}")

    async def runs(self, schedule: Schedule) -> tuple[PastRun, ...]:
        return (await self.container.schedules.runs(schedule.organisation_id, schedule.id, Query())).items

    async def events(self, schedule: Schedule) -> list[Event]:
        async with self.container.work(schedule.organisation_id) as uow:
            last = await uow.events.last()
            return [
                each for each in await uow.events.after(max(0, last - 2_000), 2_000) if each.subject_id == schedule.id
            ]

    async def delete(self, schedule: Schedule) -> None:
        await self.container.schedules.delete(schedule.organisation_id, schedule.id)


@pytest.fixture
async def scheduling(purple) -> AsyncIterator[Scheduling]:
    yield Scheduling(purple)
    page = await purple.container.schedules.page(purple.organisation, Query(filter='name:~"schedule "', limit=200))
    for each in page.items:  # no test's schedule is due while others run
        await purple.container.schedules.delete(purple.organisation, each.id)


async def until(look: Callable[[], Awaitable[Any]], what: str, seconds: float = 120) -> Any:
    """The first true answer."""
    try:
        async with asyncio.timeout(seconds):
            while not (found := await look()):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None
    return found


async def begun(scheduling: Scheduling, schedule: Schedule, count: int = 1) -> list[PastRun]:
    """Its runs, once so many have campaigns."""

    async def look() -> list[PastRun]:
        found = [each for each in await scheduling.runs(schedule) if each.run.campaign_id]
        return found if len(found) >= count else []

    found: list[PastRun] = await until(look, f"{count} runs of {schedule.name}")
    return found


async def test_what_is_triggered_is_a_campaign_of_the_schedule(scheduling) -> None:
    schedule = await scheduling.make("127.23.0.1", flaws=[7])
    assert (schedule.version, schedule.told_version, schedule.state) == (1, 1, ScheduleState.ACTIVE)
    seen = await scheduling.seen(schedule)
    assert (seen.version, seen.paused) == (1, False)
    coming = await scheduling.container.schedules.coming(schedule)
    assert seen.next_at[:10] == tuple(each.at for each in coming.runs)
    await scheduling.container.schedules.trigger(schedule.organisation_id, schedule.id)
    (past,) = await begun(scheduling, schedule)
    assert (past.run.outcome, past.run.cause, past.run.reason) == (RunOutcome.STARTED, Cause.TRIGGER, "")
    campaign = await scheduling.container.campaigns.get(schedule.organisation_id, past.run.campaign_id)
    ended = await scheduling.purple.end(campaign)
    assert (ended.state, ended.name, ended.profile) == (CampaignState.COMPLETED, schedule.name, "made")
    assert ended.workflow_id.startswith(f"campaign/schedule/{schedule.id}-")
    client = await scheduling.container.orchestrator.client()
    told = (await client.get_workflow_handle(ended.workflow_id).describe()).typed_search_attributes
    named = {pair.key.name: pair.value for pair in told}
    assert (named["PurpleCampaignId"], named["PurpleProfile"]) == (str(campaign.id), "made")
    assert [each.campaign_state for each in await scheduling.runs(schedule)] == [CampaignState.COMPLETED]
    assert len(await scheduling.purple.vulnerabilities("127.23.0.1")) == 1
    told = await until(lambda: placed(scheduling, schedule, "schedule.ran"), "its event has its position")
    assert told.data["outcome"] == "started"
    assert told.campaign_id == campaign.id


async def placed(scheduling: Scheduling, schedule: Schedule, kind: str) -> Event | None:
    return next((each for each in await scheduling.events(schedule) if each.type == kind), None)


CLOCKS = [
    (("30 2 * * *",), (), "Europe/Berlin", datetime(2027, 3, 26, tzinfo=UTC)),
    (("*/30 1-3 * * *",), (), "Europe/Berlin", datetime(2027, 10, 30, 12, tzinfo=UTC)),
    (("30 1 * * sun",), ("hour=0,1,2 day_of_month=7",), "America/New_York", datetime(2027, 11, 6, tzinfo=UTC)),
    (
        (),
        ("minute=15 hour=2 day_of_month=1-7 day_of_week=sun month=mar,nov",),
        "America/St_Johns",
        datetime(2027, 3, 1, tzinfo=UTC),
    ),
    (("0 0 29 2 *",), (), "Asia/Kathmandu", datetime(2027, 1, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize(("cron", "calendar", "zone", "start"), CLOCKS)
async def test_the_next_runs_that_are_shown_are_those_of_the_server(scheduling, cron, calendar, zone, start) -> None:
    timing = Timing(cron=cron, calendar=calendar, time_zone=zone, start_at=start)
    schedule = await scheduling.make("127.23.0.2", timing)
    seen = await scheduling.seen(schedule)
    shown = list(preview_of(timing, scheduling.container.clock.now()).runs)
    assert list(seen.next_at[: len(shown)]) == shown
    assert len(shown) == 10


async def test_a_period_is_back_filled_once_and_one_after_the_other(scheduling) -> None:
    schedule = await scheduling.make("127.23.0.3", replace(scheduling.in_half_an_hour(), jitter_s=60))
    now = scheduling.container.clock.now()
    backfill = scheduling.container.schedules.backfill
    times = await backfill(schedule.organisation_id, schedule.id, now - 2 * HOUR, now)
    assert len(times) == 2
    runs = await begun(scheduling, schedule, 2)
    assert sorted(each.run.due_at for each in runs) == list(times), "the due time is without the jitter"
    assert {(each.run.cause, each.run.outcome) for each in runs} == {(Cause.BACKFILL, RunOutcome.STARTED)}
    campaigns = [
        await scheduling.container.campaigns.get(schedule.organisation_id, each.run.campaign_id)
        for each in sorted(runs, key=lambda each: each.run.created_at)
    ]
    first, second = [await scheduling.purple.end(each) for each in campaigns]
    assert second.created_at > first.ended_at
    with pytest.raises(ConflictError, match="has run"):
        await backfill(schedule.organisation_id, schedule.id, now - 2 * HOUR, now)
    for start, end, said in (
        (now - HOUR / 60, now, "never"),
        (now - 100 * HOUR, now, "more than 50 times"),
        (now, now + HOUR, "not over"),
        (now.replace(tzinfo=None), now, "no time zone"),
    ):
        with pytest.raises(InvalidInputError, match=said):
            await backfill(schedule.organisation_id, schedule.id, start, end)


async def test_a_run_that_goes_on_is_not_run_over_and_what_was_due_meanwhile_says_so(scheduling, tmp_path) -> None:
    schedule = await scheduling.make("127.23.0.4", tool="made-gated", mode="gate", marker=str(tmp_path))
    trigger = scheduling.container.schedules.trigger
    await trigger(schedule.organisation_id, schedule.id)
    (past,) = await begun(scheduling, schedule)
    with pytest.raises(ConflictError, match="goes on"):
        await trigger(schedule.organisation_id, schedule.id)
    await scheduling.later(HOUR * 0.75).keep_one(await scheduling.now(schedule))
    latest, _ = await scheduling.runs(schedule)
    assert latest.run.outcome is RunOutcome.SKIPPED
    assert latest.run.reason == f"the run of {past.run.due_at:%Y-%m-%d %H:%M} UTC still went on"
    campaign = await scheduling.container.campaigns.get(schedule.organisation_id, past.run.campaign_id)
    (tmp_path / "open").touch()
    assert (await scheduling.purple.end(campaign)).state is CampaignState.COMPLETED


async def test_what_the_server_did_not_start_in_time_is_missed(scheduling) -> None:
    schedule = await scheduling.make("127.23.0.5")
    keeping = scheduling.later(HOUR * 0.75)
    for _ in range(2):  # twice is once
        await keeping.keep_one(await scheduling.now(schedule))
    (only,) = await scheduling.runs(schedule)
    assert (only.run.outcome, only.run.cause, only.campaign_state) == (RunOutcome.MISSED, Cause.SCHEDULE, None)
    assert "away or not told in time" in only.run.reason


async def test_a_pause_has_its_note_everywhere_and_what_was_due_in_it_too(scheduling) -> None:
    schedule = await scheduling.make("127.23.0.6")
    schedules = scheduling.container.schedules
    paused = await schedules.pause(schedule.organisation_id, schedule.id, "change freeze")
    assert (paused.state, paused.version, paused.told_version) == (ScheduleState.PAUSED, 2, 2)
    await scheduling.paused(schedule)
    assert (await scheduling.seen(schedule)).note == "change freeze"
    await scheduling.later(HOUR * 0.75).keep_one(paused)
    (only,) = await scheduling.runs(schedule)
    assert (only.run.outcome, only.run.reason) == (RunOutcome.PAUSED, "the schedule was paused: change freeze")
    resumed = await schedules.resume(schedule.organisation_id, schedule.id)
    assert (resumed.state, resumed.note, resumed.paused_at) == (ScheduleState.ACTIVE, "", None)
    await scheduling.paused(schedule, said=False)


async def test_one_whose_authorisation_is_revoked_stops_itself_and_refuses_to_run(scheduling) -> None:
    schedule = await scheduling.make("127.23.0.7")
    container = scheduling.container
    await container.authorisations.revoke(schedule.organisation_id, schedule.authorisation_id)

    async def stopped() -> Schedule | None:
        found = await scheduling.now(schedule)
        return found if found.state is ScheduleState.PAUSED and found.told_version == found.version else None

    found = await until(stopped, "the relay stops it")
    assert "was revoked on" in found.note
    await scheduling.paused(schedule)
    told = await until(lambda: placed(scheduling, schedule, "schedule.stopped"), "its event")
    assert (told.data["owner"], told.data["reason"]) == ("jo@example.org", found.note)
    for again in (container.schedules.trigger, container.schedules.resume):
        with pytest.raises(OutOfScopeError, match="revoked"):
            await again(schedule.organisation_id, schedule.id)
    await container.telling.scheduler.trigger(schedule.id)  # past us, as from the Temporal UI
    (past,) = await begun(scheduling, schedule)
    assert past.run.outcome is RunOutcome.REFUSED
    assert "(rule revoked)" in past.run.reason
    campaign = await container.campaigns.get(schedule.organisation_id, past.run.campaign_id)
    assert (await scheduling.purple.end(campaign)).state is CampaignState.NOT_ALLOWED


async def test_one_whose_profile_is_gone_says_so(scheduling) -> None:
    schedule = await scheduling.make("127.23.0.8")
    container = scheduling.container
    async with container.work(schedule.organisation_id) as uow:
        await uow.schedules.edit(schedule.id, 1, profile="gone")
    await container.telling.tell(schedule.organisation_id, schedule.id)
    await container.telling.scheduler.trigger(schedule.id)
    (only,) = await until(lambda: scheduling.runs(schedule), "its run")
    assert (only.run.outcome, only.run.campaign_id) == (RunOutcome.FAILED, None)
    assert "unknown profile 'gone'" in only.run.reason


async def test_what_the_server_was_not_told_the_relay_tells_it(scheduling, environment) -> None:
    away = Container(Settings(_env_file=None, temporal={"address": "127.0.0.1:1"}))
    wanted = await scheduling.wanted("127.23.0.9")
    schedule = await away.schedules.create(scheduling.purple.organisation, wanted)
    await away.close()
    assert schedule.told_version == 0

    async def told() -> bool:
        return (await scheduling.now(schedule)).told_version == 1 and await scheduling.seen(schedule) is not None

    await until(told, "the relay tells it")


async def test_what_the_server_lost_or_changed_is_mended(scheduling) -> None:
    schedule = await scheduling.make("127.23.0.10")
    scheduler = scheduling.container.telling.scheduler
    await scheduler.drop(schedule.id)
    assert await scheduling.seen(schedule) is None
    await scheduling.later(timedelta(minutes=2)).keep_one(schedule)
    assert (await scheduling.seen(schedule)).version == 1
    paused = replace(schedule, state=ScheduleState.PAUSED, note="by hand", version=9)
    from purple.services.schedules import argument_of

    await scheduler.keep(replace(paused, version=1), argument_of(schedule))  # as somebody in the Temporal UI does
    await scheduling.later(timedelta(minutes=2)).keep_one(schedule)
    found = await scheduling.now(schedule)
    assert (found.state, found.note) == (ScheduleState.PAUSED, "paused in the workflow server: by hand")
    await scheduler.keep(replace(schedule, version=1), argument_of(schedule))
    assert (await scheduling.seen(schedule)).version == 2, "an older version does not stand over a newer one"


async def test_names_are_unique_and_other_organisations_see_nothing(scheduling) -> None:
    wanted = await scheduling.wanted("127.23.0.11")
    schedules, organisation = scheduling.container.schedules, scheduling.purple.organisation
    first = await schedules.create(organisation, wanted)
    with pytest.raises(ConflictError, match="there is a schedule"):
        await schedules.create(organisation, wanted)
    with pytest.raises(NotFoundError):
        await schedules.get(uuid4(), first.id)
    await scheduling.delete(first)
    assert await scheduling.seen(first) is None
    with pytest.raises(NotFoundError, match="was deleted"):
        await schedules.get(organisation, first.id)
    again = await schedules.create(organisation, wanted)
    assert again.id != first.id


async def test_over_http(scheduling, client) -> None:
    wanted = await scheduling.wanted("127.23.1.1")
    body = {
        "name": wanted.name,
        "profile": "made",
        "target_ids": [str(each) for each in wanted.target_ids],
        "authorisation_id": str(wanted.authorisation_id),
        "timing": {"cron": list(wanted.timing.cron), "time_zone": "Europe/Berlin"},
    }
    shown = (
        await client.post(
            "/schedules/preview", json={"timing": body["timing"], "authorisation_id": body["authorisation_id"]}
        )
    ).json()
    assert len(shown["runs"]) == 10
    assert "expired" in shown["runs"][-1]["note"], "the authorisation holds for an hour"
    made = await client.post("/schedules", json=body)
    assert (made.status_code, made.json()["owner"], made.json()["told_version"]) == (201, "admin", 1)
    path = made.headers["Location"].removeprefix("/api/v1")
    got = await client.get(path)
    assert [each["at"] for each in got.json()["coming"]["runs"]] == [each["at"] for each in shown["runs"]]
    edit = {"timing": {"calendar": ["hour=3 day_of_week=mon"]}, "owner": "sam"}
    assert (await client.patch(path, json=edit)).status_code == 428
    edited = await client.patch(path, json=edit, headers={"If-Match": got.headers["ETag"]})
    assert (edited.status_code, edited.json()["timing"]["calendar"]) == (200, edit["timing"]["calendar"])
    assert (await client.patch(path, json=edit, headers={"If-Match": got.headers["ETag"]})).status_code == 412
    paused = await client.post(f"{path}/pause", json={"note": "why"})
    assert (paused.json()["state"], paused.json()["note"]) == ("paused", "why")
    listed = await client.get("/schedules", params={"filter": f'state:paused name:"{wanted.name}"', "sort": "-name"})
    assert [each["id"] for each in listed.json()["items"]] == [made.json()["id"]]
    assert (await client.get(f"{path}/runs", params={"filter": "outcome:missed"})).json()["items"] == []
    resumed = await client.post(f"{path}/resume", json={})
    tag = f'"v{resumed.json()["version"]}"'
    assert (await client.delete(path, headers={"If-Match": tag})).status_code == 204
    assert (await client.get(path)).status_code == 404


WRONG = [
    ({"timing": {"cron": ["61 * * * *"]}}, "timing.cron"),
    ({"timing": {"cron": ["@daily"], "time_zone": "Mars"}}, "timing.time_zone"),
    ({"timing": {"cron": ["@hourly"], "jitter_s": 3600}}, "timing.jitter_s"),
    ({"timing": {}}, "timing.cron"),
    ({"profile": "none"}, "profile"),
    ({"name": "a\x00b"}, ""),
    ({"options": {"nmap": {}}}, "options.nmap"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
async def test_what_is_wrong_is_named(scheduling, client, changes, field) -> None:
    wanted = await scheduling.wanted("127.23.1.2")
    body = {
        "name": wanted.name,
        "profile": "made",
        "target_ids": [str(each) for each in wanted.target_ids],
        "authorisation_id": str(wanted.authorisation_id),
        "timing": {"cron": ["@daily"]},
    }
    refused = await client.post("/schedules", json=body | changes)
    assert refused.status_code == 422, refused.text
    assert refused.json().get("field", "").startswith(field)
    assert refused.json()["remedy"]


def test_by_the_command_line(purple_command, tmp_path: Path) -> None:
    import json

    def told(*arguments: str) -> Any:
        done = purple_command("schedule", *arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    contract = purple_command(
        "authorisation", "add", "--name", "s", "--signed-by", "o", "--include", "127.23.2.0/24", "--valid-until", "1h",
        "-o", "json",
    )  # fmt: skip
    allowed = ("--authorisation", json.loads(contract.stdout)["id"])
    when = ("--cron", "30 2 * * *", "--time-zone", "Europe/Berlin")
    name = f"schedule {uuid4()}"
    shown = told("preview", *when, "--start-at", "2027-03-26T00:00:00Z")
    assert len(shown["runs"]) == 10
    assert "2027-03-28 02:30 does not exist in Europe/Berlin" in shown["left_out"][0]
    added = told("add", name, "127.23.2.1", "--profile", "made", *when, *allowed, "--jitter", "5m", "--owner", "jo")
    assert (added["timing"]["jitter_s"], added["owner"], added["told_version"]) == (300, "jo", 1)
    assert [each["id"] for each in told("list", "--filter", f'name:"{name}"')["items"]] == [added["id"]]
    edited = told("edit", name, "--overlap", "buffer_one", "--cron", "@daily")
    assert (edited["timing"]["overlap"], edited["timing"]["time_zone"]) == ("buffer_one", "Europe/Berlin")
    assert told("pause", name, "--note", "freeze")["note"] == "freeze"
    assert len(told("show", added["id"])["coming"]["runs"]) == 10
    assert told("resume", name)["state"] == "active"
    assert told("runs", name)["items"] == []
    table = purple_command("schedule", "list", "--filter", f'name:"{name}"', COLUMNS="200").stdout
    assert "@daily (Europe/Berlin)" in table
    refused = purple_command("schedule", "backfill", name, "--from", "2027-01-01")
    assert (refused.returncode, len(refused.stderr.strip().splitlines())) == (2, 1)
    assert purple_command("schedule", "delete", name).returncode == 0
    assert purple_command("schedule", "show", name).returncode == 1
