"""Errors as Temporal understands them: what trying again mends, and what it does not."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio.exceptions import ApplicationError

from purple.contracts import names
from purple.domain.errors import NoRoomError, PurpleError, UnavailableError

NO_ROOM_RETRY = timedelta(seconds=1)


@contextmanager
def told() -> Iterator[None]:
    """Turn our errors into Temporal's; a refusal is final, a part that is away is not.

    Raises:
        ApplicationError: in place of a PurpleError, with its one line.
    """
    try:
        yield
    except NoRoomError as error:
        raise ApplicationError(error.line(), type=error.code, next_retry_delay=NO_ROOM_RETRY) from error
    except UnavailableError as error:
        raise ApplicationError(error.line(), type=error.code) from error
    except PurpleError as error:
        raise ApplicationError(error.line(), error.code, type=names.ERROR_REFUSED, non_retryable=True) from error
