"""Authorisations: contracts that campaigns need."""

import contextlib
import re
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from typing import TypeVar
from uuid import UUID

from purple.domain.campaigns import CampaignState
from purple.domain.clock import Clock, Ids
from purple.domain.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from purple.domain.objects import ObjectStore
from purple.domain.pages import Page, Query
from purple.domain.ports import Orchestrator, UnitOfWork, Work
from purple.domain.scope import Authorisation, parse_rule
from purple.domain.tools import Intrusiveness, ToolCatalogue
from purple.domain.windows import parse_window
from purple.services.events import event

MAX_RULES = 1_000
MAX_WINDOWS = 50
MAX_TOOLS = 200
LIVE = tuple(state for state in CampaignState if not state.ended)
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_TOOL = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


T = TypeVar("T")


class Authorisations:
    """Create, find, list, attach a document, revoke."""

    def __init__(
        self,
        work: Work,
        orchestrator: Orchestrator,
        tools: ToolCatalogue,
        objects: ObjectStore,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._work = work
        self._orchestrator = orchestrator
        self._tools = tools
        self._objects = objects
        self._clock = clock
        self._ids = ids

    async def create(  # noqa: PLR0913 - a contract's fields
        self,
        organisation_id: UUID,
        *,
        name: str,
        signed_by: str,
        include: Iterable[str],
        exclude: Iterable[str] = (),
        valid_from: datetime | None = None,
        valid_until: datetime,
        max_intrusiveness: Intrusiveness = Intrusiveness.SAFE,
        forbidden_tools: Iterable[str] = (),
        windows: Iterable[str] = (),
        document: str = "",
        by: str = "",
    ) -> Authorisation:
        """Write a contract down; `by` is the user who does.

        Raises:
            InvalidInputError: a rule, a window, a tool or the document cannot be read, nothing is included, or the
                time between its ends is empty.
        """
        now = self._clock.now()
        start = valid_from or now
        _check_ends(start, valid_until)
        included, excluded = list(include), list(exclude)
        if not included or len(included) + len(excluded) > MAX_RULES:
            raise InvalidInputError(
                f"an authorisation includes at least one rule and holds at most {MAX_RULES}",
                field="include",
                value=len(included),
                remedy="name addresses, networks, host names or URLs",
            )
        if document and not _SHA256.match(document):
            raise InvalidInputError(
                "the document is no SHA-256", field="document", value=document, remedy="write 64 hexadecimal digits"
            )
        authorisation = Authorisation(
            id=self._ids.new(),
            organisation_id=organisation_id,
            name=name.strip(),
            signed_by=signed_by.strip(),
            include=tuple(parse_rule(text, "include") for text in included),
            exclude=tuple(parse_rule(text, "exclude") for text in excluded),
            valid_from=start,
            valid_until=valid_until,
            max_intrusiveness=max_intrusiveness,
            created_at=now,
            forbidden_tools=self._forbidden(forbidden_tools),
            windows=_few("windows", (parse_window(text) for text in windows), MAX_WINDOWS),
            document=document,
        )
        async with self._work(organisation_id) as uow:
            await uow.authorisations.add(authorisation)
            await uow.events.add(
                event(organisation_id, "authorisation.created", authorisation.id, now, data=_told(by, name=name))
            )
        return authorisation

    async def attach(
        self, organisation_id: UUID, authorisation_id: UUID, version: int, document: bytes, by: str = ""
    ) -> Authorisation:
        """Attach what was signed; its SHA-256 becomes part of the contract, whose digest changes with it.

        `by` is the user who does.

        Raises:
            InvalidInputError: the document is empty.
            NotFoundError: there is no such contract.
            ConflictError: it has another document, is revoked, or a campaign runs under it.
            PreconditionFailedError: somebody changed it since it was read.
        """
        if not document:
            raise InvalidInputError("the document is empty", field="document", remedy="send its bytes")
        sha256 = await self._objects.put(document)
        async with self._work(organisation_id) as uow:
            known = await uow.authorisations.get(authorisation_id)
            if known.document == sha256:
                return known
            await _check_open(uow, known)
            changed = await uow.authorisations.edit(authorisation_id, version, document=sha256)
            told = event(
                organisation_id,
                "authorisation.changed",
                authorisation_id,
                self._clock.now(),
                data=_told(by, fields=["document"]),
                occasion=str(changed.version),
            )
            await uow.events.add(told)
            return changed

    async def document(self, authorisation: Authorisation) -> bytes:
        """What was signed.

        Raises:
            NotFoundError: there is none, or it is kept elsewhere.
            UnavailableError: the object store is away.
        """
        if not authorisation.document:
            raise NotFoundError(f"authorisation {authorisation.name!r} has no document", value=authorisation.id)
        return await self._objects.get(authorisation.document)

    async def revoke(self, organisation_id: UUID, authorisation_id: UUID, by: str = "") -> Authorisation:
        """Withdraw a contract: its campaigns stop, and every step that is dispatched from now on is refused.

        `by` is the user who does.

        They are told after commit. What the workflow server is not told now, the relay tells it later.

        Raises:
            NotFoundError: there is none.
        """
        now = self._clock.now()
        async with self._work(organisation_id) as uow:
            revoked = await uow.authorisations.get(authorisation_id)
            if revoked.revoked_at is None:
                changes = {"revoked_at": now, "version": revoked.version + 1}
                revoked = await uow.authorisations.update(authorisation_id, **changes)
                told = event(organisation_id, "authorisation.revoked", authorisation_id, now, data=_told(by))
                await uow.events.add(told)
            live = [
                each for state in LIVE for each in await uow.campaigns.all(authorisation_id=revoked.id, state=state)
            ]
        with contextlib.suppress(UnavailableError):
            for campaign in live:
                await self._orchestrator.revoke(campaign.workflow_id)
        return revoked

    async def get(self, organisation_id: UUID, authorisation_id: UUID) -> Authorisation:
        """One contract.

        Raises:
            NotFoundError: there is none.
        """
        async with self._work(organisation_id) as uow:
            return await uow.authorisations.get(authorisation_id)

    async def page(self, organisation_id: UUID, query: Query) -> Page[Authorisation]:
        """By default newest first."""
        async with self._work(organisation_id) as uow:
            return await uow.authorisations.page(query)

    def _forbidden(self, names: Iterable[str]) -> tuple[str, ...]:
        """Tools by name. One that is not here yet may be forbidden; one that looks like a slip is not taken.

        Raises:
            InvalidInputError: names it.
        """
        found = tuple(sorted({name.strip() for name in names}))
        known = self._tools.names()
        for name in found:
            alike = [] if name in known else get_close_matches(name.casefold(), known, n=1, cutoff=0.7)
            if alike or not _TOOL.match(name):
                raise InvalidInputError(
                    f"there is no tool {name!r}",
                    field="forbidden_tools",
                    value=name,
                    remedy=f"did you mean {alike[0]}?" if alike else f"the tools here are {', '.join(known)}",
                )
        return _few("forbidden_tools", found, MAX_TOOLS)


def _told(by: str, **more: object) -> dict[str, object]:
    return ({"by": by} if by else {}) | more


def _few(name: str, values: Iterable[T], limit: int) -> tuple[T, ...]:
    found = tuple(values)
    if len(found) > limit:
        raise InvalidInputError(f"at most {limit} of these", field=name, value=len(found), remedy="leave some out")
    return found


def _check_ends(start: datetime, end: datetime) -> None:
    for name, moment in (("valid_from", start), ("valid_until", end)):
        if moment.tzinfo is None:
            raise InvalidInputError(
                f"{name} has no time zone", field=name, value=moment, remedy="write it as 2026-01-31T18:00:00Z"
            )
    if end <= start:
        raise InvalidInputError(
            "valid_until is not after valid_from", field="valid_until", value=end, remedy="choose a later"
        )


async def _check_open(uow: UnitOfWork, known: Authorisation) -> None:
    """Refuse to change a contract that others rely on as it is."""
    why = ""
    if known.document:
        why = "it has a document"
    elif known.revoked_at is not None:
        why = "it was revoked"
    elif (await uow.campaigns.page(Query({"authorisation_id": known.id, "state": LIVE}, limit=1))).items:
        why = "a campaign runs under it"
    if why:
        raise ConflictError(
            f"this authorisation cannot be changed: {why}",
            field="authorisation_id",
            value=known.id,
            remedy="write a new one",
        )
