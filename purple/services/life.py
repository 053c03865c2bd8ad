"""The life of a vulnerability: who changes what and why, and what people say of it."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from purple.domain.clock import Clock, Ids
from purple.domain.errors import InvalidInputError, NotFoundError, PreconditionFailedError
from purple.domain.events import Event
from purple.domain.identity import Actor
from purple.domain.life import MAX_COMMENT, Change, Changed, Chosen, Comment, Held, TakenBack, Told, Wanted, event_data
from purple.domain.pages import Page, Query
from purple.domain.ports import UnitOfWork, Work
from purple.domain.vulnerabilities import ChangeCause, Vulnerability, check_transition
from purple.services.events import event


class Life:
    """Edits are made from the version that was read; comments and history only grow."""

    def __init__(self, work: Work, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def edit(self, vulnerability_id: UUID, version: int, wanted: Wanted, actor: Actor) -> Vulnerability:
        """Change state, owner or due date of the version that was read.

        Raises:
            InvalidInputError: it asks for nothing, does not say why, or names nobody that there is.
            NotFoundError: there is no such vulnerability.
            PreconditionFailedError: somebody changed it since.
            ConflictError: it cannot become so from the state it is in.
        """
        now = self._clock.now()
        wanted = wanted.checked(now)
        async with self._work(actor.organisation_id) as uow:
            held = await _held(uow, vulnerability_id)
            if held.version != version:
                raise PreconditionFailedError.since("vulnerability", version)
            if wanted.state is not None:
                check_transition(held.state, wanted.state)
            await check_owner(uow, wanted.owner or "")
            told = Told(ChangeCause.PERSON, now, actor.username, wanted.why)
            await decide(uow, actor.organisation_id, [vulnerability_id], wanted, told)
            return await uow.findings.vulnerability(vulnerability_id)

    async def history(self, organisation_id: UUID, vulnerability_id: UUID, query: Query) -> Page[Change]:
        """What changed, newest first by default.

        Raises:
            NotFoundError: there is no such vulnerability.
        """
        async with self._work(organisation_id) as uow:
            await uow.findings.vulnerability(vulnerability_id)
            return await uow.changes.page(_of(vulnerability_id, query))

    async def comment(self, vulnerability_id: UUID, body: str, actor: Actor) -> Comment:
        """Say something of one; it stays as it was said.

        Raises:
            InvalidInputError: it is empty, or too long.
            NotFoundError: there is no such vulnerability.
        """
        said = body.strip()
        if not said or len(said) > MAX_COMMENT:
            raise InvalidInputError(
                f"a comment has 1 to {MAX_COMMENT} characters", field="body", value=said[:50], remedy="write it shorter"
            )
        comment = Comment(
            id=self._ids.new(),
            organisation_id=actor.organisation_id,
            vulnerability_id=vulnerability_id,
            created_at=self._clock.now(),
            author=actor.username,
            body=said,
        )
        async with self._work(actor.organisation_id) as uow:
            await uow.findings.vulnerability(vulnerability_id)
            await uow.comments.add(comment)
            told = event(
                actor.organisation_id,
                "vulnerability.commented",
                vulnerability_id,
                comment.created_at,
                data={"by": actor.username, "comment_id": str(comment.id)},
                occasion=str(comment.id),
            )
            await uow.events.add(told)
        return comment

    async def comments(self, organisation_id: UUID, vulnerability_id: UUID, query: Query) -> Page[Comment]:
        """What people said, oldest first by default.

        Raises:
            NotFoundError: there is no such vulnerability.
        """
        async with self._work(organisation_id) as uow:
            await uow.findings.vulnerability(vulnerability_id)
            return await uow.comments.page(_of(vulnerability_id, query))


async def _held(uow: UnitOfWork, vulnerability_id: UUID) -> Held:
    """One, locked until the transaction ends."""
    found = await uow.lives.select(Chosen((vulnerability_id,)), 1, lock=True)
    if not found:
        raise NotFoundError(
            f"there is no vulnerability {vulnerability_id}", value=vulnerability_id, remedy="list those that exist"
        )
    return found[0]


def _of(vulnerability_id: UUID, query: Query) -> Query:
    where = {**query.where, "vulnerability_id": vulnerability_id}
    return Query(where, query.cursor, query.limit, query.filter, query.sort)


async def check_owner(uow: UnitOfWork, owner: str) -> None:
    """Refuse an owner who is nobody.

    Raises:
        InvalidInputError: the organisation has no user of this name.
    """
    if owner and not await uow.users.all(username=owner):
        raise InvalidInputError(
            f"there is no user {owner!r}", field="owner", value=owner, remedy="use a name that signs in"
        )


async def decide(uow: UnitOfWork, organisation_id: UUID, ids: Sequence[UUID], wanted: Wanted, told: Told) -> None:
    """Change all of these, which are locked and may be changed so, date them and tell of it."""
    changed = await uow.lives.change(ids, wanted, told)
    await uow.due_dates.date(ids)
    await uow.events.add(*events_of(organisation_id, changed, told))


async def take_back(uow: UnitOfWork, organisation_id: UUID, operation_id: UUID, told: Told) -> TakenBack:
    """Give back what an operation changed, but for what somebody changed since, date it and tell of it."""
    done = await uow.lives.take_back(operation_id, told)
    await uow.due_dates.date([each.id for each in done.restored])
    await uow.events.add(*events_of(organisation_id, done.restored, told))
    return done


def events_of(organisation_id: UUID, changed: Iterable[Changed], told: Told) -> list[Event]:
    """One for each that changed; the version makes telling twice telling once."""
    return [
        event(
            organisation_id,
            "vulnerability.changed",
            each.id,
            told.at,
            data=event_data(each, told),
            occasion=str(each.version),
        )
        for each in changed
    ]
