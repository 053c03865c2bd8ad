"""Who calls: the first administrator, and bearer tokens."""

import hashlib
import hmac
import secrets
from uuid import UUID, uuid5

from purple.domain.campaigns import CAMPAIGN_NAMESPACE
from purple.domain.clock import Clock, Ids
from purple.domain.errors import UnauthenticatedError
from purple.domain.identity import Actor, ApiToken, Organisation, Permission, Principal, User
from purple.domain.ports import Work

FIRST_ORGANISATION = uuid5(CAMPAIGN_NAMESPACE, "organisation/first")
ADMINISTRATOR = Actor(uuid5(FIRST_ORGANISATION, "admin"), FIRST_ORGANISATION, "admin")
"""The first administrator: who works on the machine itself."""
_PREFIX = "pp"


class Identity:
    """Tokens are `pp_<token id>_<organisation>_<secret>` in hexadecimal; only the secret's hash is kept."""

    def __init__(self, work: Work, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def first_token(self) -> str:
        """Make the first organisation and administrator where they are missing, and a new token for that user."""
        now = self._clock.now()
        secret = secrets.token_hex(32)
        admin = User(
            id=ADMINISTRATOR.user_id,
            organisation_id=FIRST_ORGANISATION,
            username=ADMINISTRATOR.username,
            permissions=frozenset(Permission),
            created_at=now,
        )
        token = ApiToken(
            id=self._ids.new(),
            organisation_id=FIRST_ORGANISATION,
            user_id=admin.id,
            secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
            created_at=now,
        )
        async with self._work(FIRST_ORGANISATION) as uow:
            await uow.organisations.upsert(Organisation(FIRST_ORGANISATION, "first", now))
            await uow.users.upsert(admin)
            await uow.tokens.add(token)
        return f"{_PREFIX}_{token.id.hex}_{FIRST_ORGANISATION.hex}_{secret}"

    async def authenticate(self, token: str) -> Principal:
        """Who a token belongs to.

        Raises:
            UnauthenticatedError: it is malformed, unknown or revoked; which of these is not told.
        """
        refusal = UnauthenticatedError(
            "the bearer token is not valid", field="Authorization", remedy="send one that `purple bootstrap` printed"
        )
        parts = token.split("_")
        try:
            prefix, token_id, organisation_id, secret = parts
            key, tenant = UUID(token_id), UUID(organisation_id)
        except ValueError:
            raise refusal from None
        async with self._work(tenant) as uow:
            known = await uow.tokens.find(key)
            user = await uow.users.find(known.user_id) if known else None
        digest = hashlib.sha256(secret.encode()).hexdigest()
        if prefix != _PREFIX or known is None or user is None or known.revoked_at is not None:
            raise refusal
        if not hmac.compare_digest(digest, known.secret_sha256):
            raise refusal
        return Principal(user.id, tenant, user.username, user.permissions)
