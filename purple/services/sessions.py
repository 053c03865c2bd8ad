"""Browsers: a one-time link, and the session it is changed for."""

import hashlib
import hmac
import secrets
from uuid import UUID, uuid5

from purple.domain.clock import Clock, Ids
from purple.domain.errors import NotFoundError, UnauthenticatedError
from purple.domain.identity import LINK_LIFE, SESSION_LIFE, Principal, Session, SignInLink
from purple.domain.ports import Work
from purple.services.events import event
from purple.services.identity import FIRST_ORGANISATION

_LINK = "pl"
_SESSION = "ps"
_REMEDY = "ask for a new link with `purple console`"


def _make(prefix: str, row_id: UUID, organisation_id: UUID) -> tuple[str, str]:
    """A token `<prefix>_<row>_<organisation>_<256 random bits>`, and the hash of its secret."""
    secret = secrets.token_hex(32)
    return f"{prefix}_{row_id.hex}_{organisation_id.hex}_{secret}", _hash(secret)


def _read(prefix: str, token: str) -> tuple[UUID, UUID, str] | None:
    """Row, organisation and hash of a token; None where it is malformed."""
    parts = token.split("_")
    if len(parts) != 4 or parts[0] != prefix:  # noqa: PLR2004 - as `_make` writes it
        return None
    try:
        return UUID(parts[1]), UUID(parts[2]), _hash(parts[3])
    except ValueError:
        return None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class Sessions:
    """Tokens of links and sessions name their row and organisation; only the hash of their secret is kept."""

    def __init__(self, work: Work, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def invite(self, organisation_id: UUID = FIRST_ORGANISATION, user_id: UUID | None = None) -> str:
        """The token of a new link, by default for the first administrator.

        Raises:
            NotFoundError: there is no such user.
        """
        now = self._clock.now()
        link_id = self._ids.new()
        token, digest = _make(_LINK, link_id, organisation_id)
        async with self._work(organisation_id) as uow:
            user = await uow.users.find(user_id or uuid5(organisation_id, "admin"))
            if user is None:
                raise NotFoundError("there is no such user", remedy="make the first one with `purple bootstrap`")
            await uow.sign_in_links.add(SignInLink(link_id, organisation_id, user.id, digest, now, now + LINK_LIFE))
        return token

    async def sign_in(self, token: str) -> str:
        """Change a link for a session; the session's token. Of two that come at once one gets in.

        Raises:
            UnauthenticatedError: the link is malformed, unknown, used or too old; which of these is not told.
        """
        refusal = UnauthenticatedError("this link does not work, was used, or is too old", remedy=_REMEDY)
        read = _read(_LINK, token)
        if read is None:
            raise refusal
        link_id, organisation_id, digest = read
        now = self._clock.now()
        session_id = self._ids.new()
        secret, kept = _make(_SESSION, session_id, organisation_id)
        async with self._work(organisation_id) as uow:
            link = await uow.sign_in_links.find(link_id)
            if link is None or not hmac.compare_digest(digest, link.secret_sha256) or not link.usable(now):
                raise refusal
            if not await uow.sign_in_links.compare_and_set(link_id, {"used_at": None}, used_at=now):
                raise refusal
            session = Session(session_id, organisation_id, link.user_id, kept, now, now + SESSION_LIFE)
            await uow.sessions.add(session)
            about = {"user_id": str(link.user_id)}
            await uow.events.add(event(organisation_id, "session.started", session_id, now, data=about))
        return secret

    async def authenticate(self, token: str) -> Principal:
        """Who a session belongs to.

        Raises:
            UnauthenticatedError: there is none, it was signed out, or its time is over.
        """
        refusal = UnauthenticatedError("you are not signed in, or no longer", remedy=_REMEDY)
        read = _read(_SESSION, token)
        if read is None:
            raise refusal
        session_id, organisation_id, digest = read
        async with self._work(organisation_id) as uow:
            session = await uow.sessions.find(session_id)
            user = await uow.users.find(session.user_id) if session else None
        if session is None or user is None or not hmac.compare_digest(digest, session.secret_sha256):
            raise refusal
        if not session.holds(self._clock.now()):
            raise refusal
        return Principal(user.id, organisation_id, user.username, user.permissions)

    async def sign_out(self, token: str) -> None:
        """End a session; one that is none, or has ended, is left alone."""
        try:
            caller = await self.authenticate(token)
        except UnauthenticatedError:
            return
        read = _read(_SESSION, token)
        if read is None:
            return
        session_id, organisation_id, _ = read
        now = self._clock.now()
        async with self._work(organisation_id) as uow:
            await uow.sessions.update(session_id, revoked_at=now)
            about = {"user_id": str(caller.user_id)}
            await uow.events.add(event(organisation_id, "session.ended", session_id, now, data=about))
