"""Advisories that tests make, in the OSV format: as a server that is asked, and as the files that are looked into."""

import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ADVISORY: dict[str, Any] = {
    "schema_version": "1.6.0",
    "id": "GHSA-2222-3333-4444",
    "modified": "2026-01-02T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "aliases": ["CVE-2026-10001"],
    "summary": "A made flaw of templates",
    "details": "Made by a test.\n\nIt is in no real package.",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "jinja2", "purl": "pkg:pypi/jinja2"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.11.3"}]}],
            "versions": ["2.4.1"],
        }
    ],
    "references": [{"type": "ADVISORY", "url": "https://advisories.purple.test/1"}],
    "database_specific": {"cwe_ids": ["CWE-94"], "severity": "CRITICAL"},
}
"""Of the version that the planted repository asks for."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((asked["package"]["name"], asked["version"]))  # type: ignore[attr-defined]
        vulnerable = (asked["package"]["name"], asked["version"]) == ("jinja2", "2.4.1")
        body = json.dumps({"vulns": [ADVISORY]} if vulnerable else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@contextmanager
def advisories_at(address: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The URL of a server that is asked as OSV's is, and what it was asked."""
    with ThreadingHTTPServer((address, 0), _Handler) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://{address}:{server.server_address[1]}/v1/query", server.asked  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()


def database(folder: Path) -> None:
    """The same as OSV's published archive of an ecosystem."""
    (folder / "PyPI").mkdir(parents=True)
    with zipfile.ZipFile(folder / "PyPI/all.zip", "w") as archive:
        archive.writestr(f"{ADVISORY['id']}.json", json.dumps(ADVISORY))
