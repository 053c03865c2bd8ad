"""A real receiver of Standard Webhooks: it checks the signature and keeps what it was sent."""

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

LIMIT = 1_000_000


class Receiver(ThreadingHTTPServer):
    """The server; each message goes to a line of `file`, with whether its signature held."""

    daemon_threads = True

    def __init__(self, port: int, secret: str, file: Path) -> None:
        super().__init__(("127.0.0.1", port), _Inbox)
        self.webhook = Webhook(secret)
        self.file = file


class _Inbox(BaseHTTPRequestHandler):
    server: Receiver

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Check and keep."""
        length = int(self.headers.get("Content-Length", "0"))
        if length > LIMIT:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self.server.webhook.verify(body, headers)
            verified = True
        except WebhookVerificationError:
            verified = False
        line = {"verified": verified, "id": headers.get("webhook-id", ""), "body": body.decode("utf-8", "replace")}
        with self.server.file.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.send_response(HTTPStatus.NO_CONTENT if verified else HTTPStatus.UNAUTHORIZED)
        self.end_headers()
