"""A Java for Elasticsearch: this machine's, else the distribution's package, unpacked and not installed."""

import hashlib
import os
import re
import shutil
import ssl
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from purple.domain.errors import PackagesUnavailableError
from purple.stack.files import reachable
from purple.stack.parts.base import Say, Site
from purple.toolkit.packages import DebianPackages, PackageRoot

OLDEST = 17
PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")
"""Debian 12 and Ubuntu from 22.04 have the first, Debian 13 the second."""


@dataclass(frozen=True, slots=True)
class Java:
    """A Java home and what its programs need in their environment."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)


def _major(java: Path) -> int:
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(\d+)', said)
    return int(match[1]) if match else 0


def _machine_java(site: Site) -> Java | None:
    candidates = [os.environ.get("JAVA_HOME", "") + "/bin/java", shutil.which("java") or ""]
    candidates += sorted(map(str, Path("/usr/lib/jvm").glob("*/bin/java")))
    for each in candidates:
        path = Path(each).resolve()
        if os.access(path, os.X_OK) and path.is_file() and reachable(path, site.user) and _major(path) >= OLDEST:
            return Java(path.parent.parent)
    return None


def find_java(site: Site, say: Say) -> Java:
    """A Java of version 17 or newer that the server's user can run.

    Raises:
        PackagesUnavailableError: there is none and none can be had.
    """
    own = _machine_java(site) if site.own.stack.machine_servers else None
    if own:
        return own
    packages = DebianPackages(site.cache, say)
    for name in PACKAGES:
        try:
            return java_of(packages.ensure(name))
        except PackagesUnavailableError as error:
            refusal = error
    raise refusal


def java_of(root: PackageRoot) -> Java:
    """The Java of an unpacked package, with the machine's certificates to trust."""
    program = root.which("java")
    if program is None:
        raise PackagesUnavailableError(f"{root.path} holds no java", remedy="remove that folder and try again")
    return Java(program.resolve().parent.parent, root.environment())


def write_trust_store(path: Path) -> None:
    """The certificates this machine trusts, as a Java trust store (JKS, password `changeit`).

    The package makes its own when it is installed, which it never is here. The format is that of OpenJDK's
    `sun.security.provider.JavaKeyStore`: big-endian, closed by a SHA-1 over the password, a salt and the content.
    """

    def text(value: str) -> bytes:
        return struct.pack(">H", len(value)) + value.encode()

    certificates = ssl.create_default_context().get_ca_certs(binary_form=True)
    body = struct.pack(">III", 0xFEEDFEED, 2, len(certificates))
    for number, der in enumerate(certificates):
        body += struct.pack(">I", 2) + text(f"ca{number}") + struct.pack(">Q", int(time.time() * 1000))
        body += text("X.509") + struct.pack(">I", len(der)) + der
    salted = "changeit".encode("utf-16-be") + b"Mighty Aphrodite" + body
    path.write_bytes(body + hashlib.sha1(salted).digest())  # noqa: S324 - the format's own integrity check
