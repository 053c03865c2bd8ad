"""The OpenAPI document: what FastAPI writes, with problems under their own media type (RFC 9457, section 3)."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.errors import MEDIA_TYPE
from api.schemas import Problem

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {MEDIA_TYPE: {}}, "description": title}
    for status, title in (
        (400, "Not readable"),
        (401, "Not signed in"),
        (403, "Not permitted, or not covered by an authorisation"),
        (404, "Not found"),
        (409, "Conflict"),
        (412, "Changed meanwhile"),
        (413, "Too large"),
        (422, "Invalid input"),
        (428, "If-Match is missing"),
        (503, "Temporarily unavailable"),
    )
}
"""Responses of every route."""


def document(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        for operations in made["paths"].values():
            for operation in operations.values():
                for response in operation["responses"].values():
                    _move(response.get("content", {}))
        app.openapi_schema = made
    return app.openapi_schema


def _move(content: dict[str, Any]) -> None:
    """FastAPI puts a response's model under application/json, whatever the media type."""
    if MEDIA_TYPE in content and "application/json" in content:
        content[MEDIA_TYPE] = content.pop("application/json")
