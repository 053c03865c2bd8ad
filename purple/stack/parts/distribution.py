"""Where Elasticsearch comes from: the cache, the official archive, its Maven coordinates — or nowhere.

The official archive brings its own Java and every module. What the Maven coordinates hold is the same server with
fewer modules, and needs a Java.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from purple.domain.errors import PackagesUnavailableError, PurpleError
from purple.stack.parts.base import PartAbsentError, Say, Site
from purple.stack.parts.java import Java, find_java, java_of, write_trust_store
from purple.toolkit.packages import DebianPackages, make_world_readable

VERSION = "8.19.0"
OFFICIAL = "https://artifacts.elastic.co/downloads/elasticsearch/elasticsearch-{version}-linux-{machine}.tar.gz"
COORDINATES = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
MAVEN_SHA256 = "14833b2d86c30656901f92049f81fb5777a8e4545413c8656cd1a21b55173033"
GET = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get"


@dataclass(frozen=True, slots=True)
class Distribution:
    """An unpacked Elasticsearch, the Java to run it with, and what that needs in its environment."""

    folder: Path
    java_home: Path
    environment: dict[str, str] = field(default_factory=dict)
    origin: str = ""


def find_distribution(site: Site, say: Say) -> Distribution:
    """Elasticsearch from wherever it can be had; the first time this takes minutes.

    Raises:
        PartAbsentError: it cannot be had here; the detail says why and what searches instead.
    """
    folder = site.cache / "elasticsearch"
    official, maven = folder / f"{VERSION}-official", folder / f"{VERSION}-maven"
    troubles = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder):
            if not maven.exists() and not official.exists():
                try:
                    _fetch_official(official, say)
                except (httpx.HTTPError, OSError, PurpleError) as error:
                    troubles.append(f"official archive: {str(error) or type(error).__name__}")
            if official.exists():
                return Distribution(official, official / "jdk", origin="the official archive")
            java = find_java(site, say)
            if not maven.exists():
                _fetch_by_maven(maven, site, java, say)
            return Distribution(maven, java.home, java.environment, origin="its Maven coordinates")
    except (OSError, PurpleError) as error:
        troubles.append(error.line() if isinstance(error, PurpleError) else str(error))
    raise PartAbsentError(
        f"Elasticsearch cannot be had ({'; '.join(troubles)}); PostgreSQL full text searches in its place",
        remedy="set PURPLE_SEARCH__URL to one of your own, or install Java 17 and Maven",
    )


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    """A folder beside `target`; what is put into its `unpacked` becomes the target in one step."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as name:
        work = Path(name)
        (work / "unpacked").mkdir()
        yield work
        inner = next((work / "unpacked").glob("elasticsearch-*"))
        make_world_readable(inner)
        inner.rename(target)


def _fetch_official(target: Path, say: Say) -> None:
    url = OFFICIAL.format(version=VERSION, machine=platform.machine())
    with httpx.Client(timeout=httpx.Timeout(60, connect=10), follow_redirects=True) as client:
        say("asking for the official archive")
        expected = client.get(f"{url}.sha512").raise_for_status().text.split()[0]
        with _scratch(target) as work:
            archive = work / "archive.tar.gz"
            sha = hashlib.sha512()
            with client.stream("GET", url) as answer, archive.open("wb") as file:
                total = int(answer.raise_for_status().headers.get("content-length", 0))
                for chunk in answer.iter_bytes(1 << 20):
                    file.write(chunk)
                    sha.update(chunk)
                    say(f"downloading the official archive: {file.tell() >> 20} of {total >> 20} MB")
            if sha.hexdigest() != expected:
                raise PurpleError("the official archive does not have its published SHA-512")
            say("unpacking the official archive")
            argv = ["tar", "--extract", "--gzip", "--no-same-owner", "--file", str(archive)]
            subprocess.run([*argv, "--directory", str(work / "unpacked")], check=True, timeout=600, capture_output=True)


def _fetch_by_maven(target: Path, site: Site, java: Java, say: Say) -> None:
    with _scratch(target) as work:
        mvn, environment = _find_maven(site, java, work, say)
        say("downloading by its Maven coordinates, about 120 MB")
        argv = [mvn, "-B", "-ntp", "-C", f"-Dmaven.repo.local={work / 'repository'}", GET, "-Dtransitive=false"]
        argv.append(f"-Dartifact={COORDINATES.format(version=VERSION)}")
        try:
            done = subprocess.run(
                argv,
                cwd=work,
                env=os.environ | {"JAVA_HOME": str(java.home)} | environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=1200,
                check=False,
            )
        except subprocess.TimeoutExpired as expired:
            raise PurpleError("mvn took longer than 20 minutes") from expired
        archive = next((work / "repository").rglob(f"elasticsearch-{VERSION}.zip"), None)
        if archive is None:
            said = [line for line in done.stdout.splitlines() if "ERROR" in line]
            raise PurpleError(f"mvn: {(said or ['no archive came'])[0][:300]}")
        with archive.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != MAVEN_SHA256:
                raise PurpleError("the archive from Maven does not have its known SHA-256")
        say("unpacking")
        with zipfile.ZipFile(archive) as content:
            content.extractall(work / "unpacked")
        for script in (work / "unpacked").glob("*/bin/*"):
            script.chmod(0o755)


def _find_maven(site: Site, java: Java, work: Path, say: Say) -> tuple[str, dict[str, str]]:
    """This machine's mvn, else the distribution's package with a trust store of our making."""
    own = shutil.which("mvn") if site.own.stack.machine_servers else None
    if own:
        return own, java.environment
    root = DebianPackages(site.cache, say).ensure("maven", "openjdk-17-jre-headless")
    mvn = root.which("mvn")
    if mvn is None:
        raise PackagesUnavailableError("the package maven holds no mvn")
    own_java = java_of(root)
    write_trust_store(work / "trust.jks")
    return str(mvn), own_java.environment | {
        "JAVA_HOME": str(own_java.home),
        "MAVEN_OPTS": f"-Djavax.net.ssl.trustStore={work / 'trust.jks'} -Djavax.net.ssl.trustStorePassword=changeit",
    }
