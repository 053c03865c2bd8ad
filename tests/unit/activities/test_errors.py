"""Errors as Temporal is told them."""

import pytest
from temporalio.exceptions import ApplicationError

from activities.errors import NO_ROOM_RETRY, told
from purple.contracts import names
from purple.domain.errors import InvalidInputError, NoRoomError, UnavailableError


def as_told(error: Exception) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught, told():
        raise error
    return caught.value


def test_what_finds_no_room_comes_again_soon() -> None:
    error = as_told(NoRoomError("no room for nmap"))
    assert (error.type, error.non_retryable, error.next_retry_delay) == ("no-room", False, NO_ROOM_RETRY)


def test_what_is_away_comes_again_and_what_is_refused_does_not() -> None:
    away, refused = as_told(UnavailableError("PostgreSQL is away")), as_told(InvalidInputError("no"))
    assert (away.non_retryable, away.next_retry_delay) == (False, None)
    assert (refused.type, refused.non_retryable) == (names.ERROR_REFUSED, True)
