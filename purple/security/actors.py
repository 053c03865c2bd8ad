"""Actors' tokens as JSON Web Tokens (RFC 7519), signed with HMAC-SHA-256 and nothing else."""

from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from purple.domain.clock import Clock
from purple.domain.errors import ForbiddenError, PurpleError
from purple.domain.identity import Action, Actor

_ALGORITHM = "HS256"
"""Pinned: a token that names another is refused."""
_VALID_S = 24 * 3600
_MIN_KEY = 32


class SignedActors:
    """See `domain.identity.ActorTokens`."""

    def __init__(self, key: str, clock: Clock) -> None:
        self._secret = key
        self._clock = clock

    @property
    def _key(self) -> OctKey:
        if len(self._secret) < _MIN_KEY:
            raise PurpleError(
                f"PURPLE_IDENTITY__ACTOR_KEY has fewer than {_MIN_KEY} characters",
                field="identity.actor_key",
                remedy="set it to the same random text for the API and the workers",
            )
        return OctKey.import_key(self._secret.encode())

    def sign(self, actor: Actor, action: Action, workflow_id: str, about: str = "") -> str:
        """A token for a day."""
        now = int(self._clock.now().timestamp())
        claims: dict[str, Any] = {
            "sub": str(actor.user_id),
            "organisation": str(actor.organisation_id),
            "username": actor.username,
            "action": action,
            "workflow": workflow_id,
            "about": about,
            "iat": now,
            "exp": now + _VALID_S,
        }
        return jwt.encode({"alg": _ALGORITHM}, claims, self._key)

    def verify(self, token: str, action: Action, workflow_id: str, about: str = "") -> Actor:
        """Who it speaks for."""
        refusal = ForbiddenError(
            f"the request to {action.replace('_', ' ')} carries no valid word of an actor",
            remedy="ask through the API or the command line",
        )
        try:
            claims = jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims
            if int(claims["exp"]) <= self._clock.now().timestamp():
                raise refusal
            actor = Actor(UUID(claims["sub"]), UUID(claims["organisation"]), str(claims["username"]))
        except (JoseError, KeyError, TypeError, ValueError):
            raise refusal from None
        if (claims.get("action"), claims.get("workflow"), claims.get("about", "")) != (action, workflow_id, about):
            raise refusal
        return actor
