"""`python -m api`: serves the facade."""

import os
import socket
import sys

import httpx
import uvicorn
from starlette.types import ASGIApp

from api.app import create_app
from purple.domain.errors import PurpleError
from purple.observability.logs import set_up_logs
from purple.observability.runtime import set_apart, share
from purple.settings import load_settings


class Server(uvicorn.Server):
    """Uvicorn's, which sets apart what is there once it serves."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port."""
        await super().startup(sockets)
        await _asked_once(self.config.loaded_app)
        set_apart()


async def _asked_once(app: ASGIApp) -> None:
    """Have FastAPI make ready what routes take and tell, 50,000 objects, for which the first request would wait."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://purple") as client:
        await client.get("/api/v1/nothing")


def main() -> int:
    """Serve until a signal comes."""
    share()
    settings = load_settings()
    set_up_logs(settings.log)
    try:
        app = create_app(settings)
        config = uvicorn.Config(
            app,
            host=settings.api.host,
            port=settings.api.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        Server(config).run()
    except PurpleError as error:
        sys.stderr.write(f"{error.line()}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # a process that used Temporal's client can abort while the interpreter ends
    os._exit(code)
