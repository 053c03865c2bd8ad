"""/schedules."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status

from api.deps import allowed, etag, if_match, paging, service
from api.schedules import schemas
from api.schemas import PageAnswer
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query
from purple.domain.schedules import Schedule
from purple.services.schedules import Schedules, Wanted

router = APIRouter(prefix="/schedules", tags=["schedules"])
FIELDS = "id, name, profile, authorisation_id, target_ids, state, owner, note, created_at, paused_at"
RUN_FIELDS = "id, due_at, cause, outcome, reason, campaign_id, created_at"
Reader = Annotated[Principal, Depends(allowed(Permission.READ_CAMPAIGNS))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_CAMPAIGNS))]
Service = Annotated[Schedules, Depends(service("schedules"))]
Version = Annotated[int, Depends(if_match)]


@router.post("", status_code=status.HTTP_201_CREATED, response_model=schemas.ScheduleAnswer)
async def create_schedule(
    body: schemas.ScheduleBody, caller: Writer, schedules: Service, response: Response
) -> Schedule:
    """Write a recurring campaign down."""
    given = dict(body) | {"timing": body.timing.timing(), "target_ids": tuple(body.target_ids)}
    given["owner"] = body.owner.strip() or caller.username
    schedule = await schedules.create(caller.organisation_id, Wanted(**given, created_by=caller.user_id))
    response.headers["Location"] = f"/api/v1/schedules/{schedule.id}"
    response.headers["ETag"] = etag(schedule.version)
    return schedule


@router.post("/preview")
async def preview_schedule(body: schemas.PreviewBody, caller: Reader, schedules: Service) -> schemas.ComingAnswer:
    """The next ten runs of a timing that is not saved, and what daylight saving does to them."""
    found = await schedules.preview(caller.organisation_id, body.timing.timing(), body.authorisation_id)
    return schemas.coming(found)


@router.get("", response_model=PageAnswer[schemas.ScheduleAnswer])
async def list_schedules(
    caller: Reader, schedules: Service, query: Annotated[Query, Depends(paging(FIELDS))]
) -> object:
    """List, newest first by default."""
    return await schedules.page(caller.organisation_id, query)


@router.get("/{schedule_id}")
async def get_schedule(
    schedule_id: UUID, caller: Reader, schedules: Service, response: Response
) -> schemas.ScheduleDetail:
    """One schedule with its next ten runs; its ETag is what an edit needs."""
    schedule = await schedules.get(caller.organisation_id, schedule_id)
    response.headers["ETag"] = etag(schedule.version)
    known = schemas.ScheduleAnswer.model_validate(schedule).model_dump()
    return schemas.ScheduleDetail(**known, coming=schemas.coming(await schedules.coming(schedule)))


@router.patch("/{schedule_id}", response_model=schemas.ScheduleAnswer)
async def edit_schedule(
    schedule_id: UUID,
    body: schemas.ScheduleEdit,
    caller: Writer,
    schedules: Service,
    response: Response,
    version: Version,
) -> Schedule:
    """Change what is given, unless somebody else did since the GET whose ETag comes as If-Match."""
    schedule = await schedules.edit(caller.organisation_id, schedule_id, version, caller.user_id, **body.changes())
    response.headers["ETag"] = etag(schedule.version)
    return schedule


@router.delete("/{schedule_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_schedule(schedule_id: UUID, caller: Writer, schedules: Service, version: Version) -> None:
    """End it: campaigns that run go on."""
    await schedules.delete(caller.organisation_id, schedule_id, version)


@router.post("/{schedule_id}/pause", response_model=schemas.ScheduleAnswer)
async def pause_schedule(schedule_id: UUID, body: schemas.NoteBody, caller: Writer, schedules: Service) -> Schedule:
    """Start nothing until it is resumed; the note says why."""
    return await schedules.pause(caller.organisation_id, schedule_id, body.note)


@router.post("/{schedule_id}/resume", response_model=schemas.ScheduleAnswer)
async def resume_schedule(schedule_id: UUID, body: schemas.NoteBody, caller: Writer, schedules: Service) -> Schedule:
    """Go on; what was due meanwhile is not made up for."""
    return await schedules.resume(caller.organisation_id, schedule_id, body.note)


@router.post("/{schedule_id}/trigger", status_code=status.HTTP_202_ACCEPTED, response_model=schemas.ScheduleAnswer)
async def trigger_schedule(schedule_id: UUID, caller: Writer, schedules: Service) -> Schedule:
    """Run it now, also where it is paused."""
    return await schedules.trigger(caller.organisation_id, schedule_id)


@router.post("/{schedule_id}/backfill", status_code=status.HTTP_202_ACCEPTED)
async def backfill_schedule(
    schedule_id: UUID, body: schemas.PeriodBody, caller: Writer, schedules: Service
) -> schemas.BackfillAnswer:
    """Run what was due in a period of the past and did not begin, one after the other."""
    times = await schedules.backfill(caller.organisation_id, schedule_id, body.start, body.end)
    return schemas.BackfillAnswer(times=list(times))


@router.get("/{schedule_id}/runs")
async def list_schedule_runs(
    schedule_id: UUID, caller: Reader, schedules: Service, query: Annotated[Query, Depends(paging(RUN_FIELDS))]
) -> PageAnswer[schemas.RunAnswer]:
    """What became of each time at which it was due, last due first by default, and why nothing happened."""
    found = await schedules.runs(caller.organisation_id, schedule_id, query)
    return PageAnswer(items=[schemas.run(each) for each in found.items], next_cursor=found.next_cursor)
