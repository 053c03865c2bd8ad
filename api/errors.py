"""Every error as RFC 9457 problem details; never a stack trace."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from purple.domain.errors import InvalidInputError, PurpleError, UnavailableError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 3
"""A part that is away is back within seconds, or nobody knows when."""

log = structlog.get_logger()


def problem(body: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem as a response."""
    return JSONResponse(body, status_code=body["status"], media_type=MEDIA_TYPE, headers=headers)


def add_handlers(app: FastAPI) -> None:
    """Install the handlers."""

    @app.exception_handler(PurpleError)
    async def ours(_: Request, error: PurpleError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
        if isinstance(error, UnavailableError):
            headers["Retry-After"] = str(RETRY_AFTER_S)
        return problem(error.problem(), headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = [str(each) for each in first["loc"]]
        field = ".".join(where[1:] if len(where) > 1 else where)
        shown = first.get("input") if not isinstance(first.get("input"), dict | list) else None
        refusal = InvalidInputError(
            f"{field}: {first['msg']}", field=field, value=shown, remedy="see /api/openapi.json for what it takes"
        )
        return problem(refusal.problem())

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        title = HTTPStatus(error.status_code).phrase
        body = {
            "type": "about:blank",
            "title": title,
            "status": error.status_code,
            "detail": str(error.detail),
            "code": title.lower().replace(" ", "-"),
        }
        return problem(body, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("request failed", path=request.url.path, error=repr(error), exc_info=error)
        return problem(PurpleError("something went wrong on our side; the log of the API says what").problem())
