"""One root for every error a user may see.

The API renders it as RFC 9457 problem details and the command line as one line and an exit code.
"""

from enum import IntEnum
from typing import Any, ClassVar


class ExitCode(IntEnum):
    """What a `purple` command's exit status means."""

    PASS = 0
    ERROR = 1
    USAGE = 2
    GATE_FAILED = 3
    NOT_ALLOWED = 4
    INCOMPLETE = 5


class PurpleError(Exception):
    """A failure with a remedy.

    Args:
        detail: one sentence that says what went wrong.
        field: the input field at fault, dotted, or empty.
        value: the value that was refused; shown cut to 200 characters.
        remedy: one sentence that says what to do.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, detail: str, *, field: str = "", value: object = None, remedy: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.value = "" if value is None else str(value)[:200]
        self.remedy = remedy

    def problem(self) -> dict[str, Any]:
        """Problem details by RFC 9457, with `field`, `value` and `remedy` as extension members."""
        body: dict[str, Any] = {
            "type": f"urn:purple:error:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        body.update({k: v for k in ("field", "value", "remedy") if (v := getattr(self, k))})
        return body

    def line(self) -> str:
        """The same as one line for a terminal."""
        parts = [self.detail]
        if self.field and self.field not in self.detail:
            parts.append(f"(field {self.field}, value {self.value!r})")
        if self.remedy:
            parts.append(f"— {self.remedy}")
        return " ".join(" ".join(parts).split())


class InvalidInputError(PurpleError):
    """A value is outside what its field allows."""

    status = 422
    code = "invalid-input"
    title = "Invalid input"
    exit_code = ExitCode.USAGE


class TooLargeError(PurpleError):
    """More bytes than are taken in."""

    status = 413
    code = "too-large"
    title = "Request too large"
    exit_code = ExitCode.USAGE


class NotFoundError(PurpleError):
    """There is no such thing, or the caller may not know of it."""

    status = 404
    code = "not-found"
    title = "Not found"


class ConflictError(PurpleError):
    """The request contradicts the present state."""

    status = 409
    code = "conflict"
    title = "Conflict"


class PreconditionFailedError(PurpleError):
    """The edit was made from a version that is no longer the present one."""

    status = 412
    code = "precondition-failed"
    title = "Changed meanwhile"

    @classmethod
    def since(cls, noun: str, version: int | str) -> "PreconditionFailedError":
        """Of an edit that was made from a version of this."""
        return cls(
            f"the {noun} was changed meanwhile",
            field="If-Match",
            value=version,
            remedy="read it again, and repeat your change where it still makes sense",
        )


class PreconditionRequiredError(PurpleError):
    """The edit does not say which version it was made from."""

    status = 428
    code = "precondition-required"
    title = "Precondition required"
    exit_code = ExitCode.USAGE


class UnauthenticatedError(PurpleError):
    """No valid credentials came with the request."""

    status = 401
    code = "unauthenticated"
    title = "Not signed in"
    exit_code = ExitCode.NOT_ALLOWED


class ForbiddenError(PurpleError):
    """The caller lacks a permission."""

    status = 403
    code = "forbidden"
    title = "Not permitted"
    exit_code = ExitCode.NOT_ALLOWED


class OutOfScopeError(PurpleError):
    """An authorisation does not cover what was asked; `rule` names what refused it."""

    status = 403
    code = "out-of-scope"
    title = "Not covered by the authorisation"
    exit_code = ExitCode.NOT_ALLOWED

    def __init__(self, detail: str, *, rule: str, field: str = "", value: object = None, remedy: str = "") -> None:
        super().__init__(detail, field=field, value=value, remedy=remedy)
        self.rule = rule

    def problem(self) -> dict[str, Any]:
        """Problem details with the `rule` that refused."""
        return super().problem() | {"rule": self.rule}


class UnavailableError(PurpleError):
    """A part the request needs is away; trying later helps."""

    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"


class NoRoomError(UnavailableError):
    """This worker runs as many tools as it can bear; it or another has room later."""

    code = "no-room"


class DiskFullError(UnavailableError):
    """Nothing more can be written here; what waits goes on by itself when there is room."""

    code = "disk-full"


class ReceiverAwayError(UnavailableError):
    """Whom a notice is for does not take it now; unlike a store of ours, that may stay so."""


class ParseError(PurpleError):
    """Tool output ended or broke; what was read before it has already been yielded.

    Args:
        detail: what is wrong.
        offset: how far the reader got, in bytes, lines or elements as `unit` says.
        unit: what `offset` counts.
    """

    status = 422
    code = "malformed-output"
    title = "Malformed tool output"

    def __init__(self, detail: str, *, offset: int, unit: str = "bytes") -> None:
        super().__init__(f"{detail} (at {unit.removesuffix('s')} {offset})")
        self.offset = offset
        self.unit = unit


class PackagesUnavailableError(PurpleError):
    """A program is neither on the machine nor to be had; the remedy names what to install."""

    status = 503
    code = "packages-unavailable"
    title = "A program is missing"


class PluginError(PurpleError):
    """A plugin could not be loaded; its name is in the detail."""

    code = "plugin"
    title = "A plugin failed to load"
