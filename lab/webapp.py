"""A small shop that is vulnerable on purpose. Each flaw can be mended with `without`, to see whether it closes."""

import html
import json
import sqlite3
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

FLAWS = ("sql-injection", "cross-site-scripting", "path-traversal", "open-redirect", "headers", "cookies")
PASSWD = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
"""Made up: the traversal is real in form, and no file of this machine is ever read."""

INDEX = """<!doctype html><html><head><title>Shop of the lab</title></head><body>
<h1>Shop</h1><p>Vulnerable on purpose.</p>
<ul><li><a href="/search?q=tea">Search</a></li><li><a href="/product?id=1">Tea</a></li>
<li><a href="/download?file=terms.txt">Terms</a></li><li><a href="/go?to=/search%3Fq%3Dtea">Go</a></li></ul>
<form action="/search" method="get"><input name="q"><button>Search</button></form></body></html>"""

OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Shop of the lab", "version": "1"},
    "paths": {
        path: {
            "get": {
                "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": {"description": "a page"}},
            }
        }
        for path, name in (("/search", "q"), ("/product", "id"), ("/download", "file"), ("/go", "to"))
    },
}


def _database() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.execute("CREATE TABLE products (id INTEGER, name TEXT)")
    database.executemany("INSERT INTO products VALUES (?, ?)", [(1, "tea"), (2, "coffee")])
    return database


class Shop(ThreadingHTTPServer):
    """The server; `mended` names the flaws that are not there."""

    daemon_threads = True

    def __init__(self, port: int, mended: frozenset[str] = frozenset()) -> None:
        super().__init__(("127.0.0.1", port), _Page)
        self.mended = mended
        self.database = _database()


class _Page(BaseHTTPRequestHandler):
    server: Shop
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing: a scan makes thousands of requests."""

    def do_GET(self) -> None:
        """Route."""
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        routes: dict[str, Callable[[dict[str, str]], None]] = {
            "/": lambda _: self._send(INDEX),
            "/search": self._search,
            "/product": self._product,
            "/download": self._download,
            "/go": self._go,
            "/openapi.json": lambda _: self._send(json.dumps(OPENAPI), kind="application/json"),
        }
        route = routes.get(parts.path)
        if route is None:
            self._send("<h1>Not here</h1>", HTTPStatus.NOT_FOUND)
        else:
            route(query)

    def _fixed(self, flaw: str) -> bool:
        return flaw in self.server.mended

    def _search(self, query: dict[str, str]) -> None:
        words = query.get("q", "")
        shown = html.escape(words) if self._fixed("cross-site-scripting") else words
        self._send(f"<!doctype html><html><body><h1>Results for {shown}</h1><p>None.</p></body></html>")

    def _product(self, query: dict[str, str]) -> None:
        wanted = query.get("id", "")
        try:
            if self._fixed("sql-injection"):
                rows = self.server.database.execute("SELECT name FROM products WHERE id = ?", [wanted]).fetchall()
            else:
                rows = self.server.database.execute(f"SELECT name FROM products WHERE id = {wanted}").fetchall()
        except sqlite3.Error as error:
            self._send(
                f"<html><body>sqlite3.OperationalError: {html.escape(str(error))}</body></html>",
                HTTPStatus.INTERNAL_SERVER_ERROR,
            )
            return
        shown = ", ".join(html.escape(str(row[0])) for row in rows) or "nothing"
        self._send(f"<html><body><h1>{shown}</h1></body></html>")

    def _download(self, query: dict[str, str]) -> None:
        name = query.get("file", "")
        if name.split("\x00")[0].endswith("etc/passwd") and not self._fixed("path-traversal"):
            self._send(PASSWD, kind="text/plain")
        elif name == "terms.txt":
            self._send("Drink your tea.\n", kind="text/plain")
        else:
            self._send("<h1>No such file</h1>", HTTPStatus.NOT_FOUND)

    def _go(self, query: dict[str, str]) -> None:
        to = query.get("to", "/").replace("\r", "").replace("\n", "")
        if self._fixed("open-redirect") and not (to.startswith("/") and not to.startswith("//")):
            to = "/"
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, body: str, status: HTTPStatus = HTTPStatus.OK, kind: str = "text/html; charset=utf-8") -> None:
        data = body.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self._fixed("headers"):
            self.send_header("Content-Security-Policy", "default-src 'self'")
            self.send_header("X-Frame-Options", "DENY")
            self.send_header("X-Content-Type-Options", "nosniff")
        flags = "; HttpOnly; SameSite=Lax" if self._fixed("cookies") else ""
        self.send_header("Set-Cookie", f"session=lab; Path=/{flags}")
        self.end_headers()
        self.wfile.write(data)
