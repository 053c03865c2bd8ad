"""Signing in by a one-time link, and out."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import COOKIE, Form
from api.console.pages import HOME, go, render
from api.deps import service
from purple.domain.identity import SESSION_LIFE
from purple.services.sessions import Sessions

router = APIRouter()
Service = Annotated[Sessions, Depends(service("sessions"))]


@router.get("/sign-in")
async def ask(request: Request, token: str = "") -> Response:
    """A button that uses the link: programs that only look at links must not use it up."""
    return render(request, "sign_in.html", token=token)


@router.post("/sign-in")
async def sign_in(request: Request, form: Form, sessions: Service) -> Response:
    """Change the link for a session."""
    token = form.text("token").rpartition("token=")[2]
    secret = await sessions.sign_in(token)
    response = go("/")
    response.set_cookie(COOKIE, secret, max_age=int(SESSION_LIFE.total_seconds()), **_attributes(request))
    return response


@router.post("/sign-out")
async def sign_out(request: Request, sessions: Service) -> Response:
    """End the session, here and in the database."""
    await sessions.sign_out(request.cookies.get(COOKIE, ""))
    response = go("/sign-in")
    response.delete_cookie(COOKIE, **_attributes(request))
    return response


def _attributes(request: Request) -> dict[str, Any]:
    public = str(request.app.state.container.settings.api.url)
    secure = request.url.scheme == "https" or public.startswith("https://")
    return {"path": HOME, "httponly": True, "samesite": "strict", "secure": secure}
