"""Repositories that tests make, and a server of them that speaks TLS."""

import ipaddress
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from purple.domain.tools import ToolJob, ToolTarget
from purple.toolkit.packages import find_program

NAME = "code.purple.test"
"""Resolves nowhere: whoever reaches it was told the address."""


def git(folder: Path, *arguments: str) -> str:
    """Git as its maker runs it, without whatever this machine's users have set."""
    found = find_program("git", packages=("git",))
    who = {f"GIT_{role}_{part}": "made@purple.test" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    environment = os.environ | found.environment | who | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    argv = [str(found.path), "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, files: Mapping[str, str | bytes], message: str = "made") -> str:
    """Write files, in a new repository where there is none, and commit them; the commit."""
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "--quiet", "--initial-branch=main", "--template=")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def job(source: str, work: Path, tool: str = "bandit", **options: object) -> ToolJob:
    """A run on a repository; of a server its address is that of the test's."""
    work.mkdir()
    target = ToolTarget(source, "", kind="repository")
    return ToolJob(tool, target, options, 60, work)


def certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A certificate for `NAME` that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    names = x509.SubjectAlternativeName([x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address(address))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.pem", folder / "server.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return public, private


class Server(ThreadingHTTPServer):
    """Serves the repositories below a folder, and remembers what it was asked."""

    daemon_threads = True
    root: Path
    asked: list[str]

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        self.server.asked.append(path)
        if path.startswith(("/moved/", "/private/")):
            self.send_response(302 if path.startswith("/moved/") else 401)
            self.send_header("Location", self.path.replace("/moved/", "/"))
            self.send_header("WWW-Authenticate", 'Basic realm="made"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        found = find_program("git", packages=("git",))
        asked = {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        argv = [str(found.path), "http-backend"]
        environment = os.environ | found.environment | asked
        done = subprocess.run(argv, env=environment, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(headers.pop("Status", "200")[:3]))
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@contextmanager
def server_of(folder: Path, address: str) -> Iterator[tuple[Server, Path]]:
    """A server of the repositories below a folder, and the certificate to trust."""
    public, private = certificate(folder, address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    with Server((address, 0), _Handler) as server:
        server.root, server.asked = folder, []
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server, public
        finally:
            server.shutdown()
            thread.join()
