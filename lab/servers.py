"""How the lab's servers are started: each in a folder of its own, and never as root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from purple.toolkit.packages import Found, find_program


@dataclass(frozen=True, slots=True)
class Place:
    """A server's folder, and whom it runs as: the account `nobody` where root starts the lab.

    So nothing of the system is needed: as root, sshd would want the account `sshd` and the folder /run/sshd, and
    vsftpd would change its root and its user.
    """

    folder: Path

    @property
    def account(self) -> pwd.struct_passwd:
        """Whom it runs as."""
        return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())

    def make(self) -> "Place":
        """The folder, which the server owns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self.give(self.folder)
        return self

    def give(self, path: Path) -> Path:
        """Make the server the owner of a path."""
        if os.geteuid() == 0:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)
        return path

    def write(self, name: str, text: str) -> Path:
        """A file that the server owns, as vsftpd and sshd want theirs."""
        path = self.folder / name
        path.write_text(text)
        return self.give(path)

    def call(self, program: Found, arguments: Sequence[str]) -> None:
        """Run a program to its end.

        Raises:
            CalledProcessError: it failed.
        """
        argv = [str(program.path), *arguments]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True, **self._how(program))

    def start(self, program: Found, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """Run a server; what it says is in `log` of its folder."""
        argv = [str(program.path), *arguments]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._how(program))

    def _how(self, program: Found) -> dict[str, Any]:
        how: dict[str, Any] = {"cwd": self.folder, "env": os.environ | program.environment}
        if os.geteuid() == 0:
            how |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return how


SSHD = """
ListenAddress 127.0.0.1
Port {port}
HostKey {key}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
{algorithms}
"""
WEAK = """
HostKeyAlgorithms ssh-rsa
KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,curve25519-sha256
Ciphers 3des-cbc,aes128-ctr
MACs hmac-md5,hmac-sha1,hmac-sha2-256
"""
STRONG = """
HostKeyAlgorithms ssh-ed25519
KexAlgorithms curve25519-sha256
Ciphers aes256-gcm@openssh.com
MACs hmac-sha2-256-etm@openssh.com
"""


def openssh(folder: Path, port: int, *, weak: bool = True) -> subprocess.Popen[bytes]:
    """An OpenSSH that offers what nobody should: a short key and broken algorithms. Nobody can log in.

    Raises:
        PackagesUnavailableError: it is not here and cannot be had.
    """
    place = Place(folder).make()
    sshd = find_program("sshd", packages=("openssh-server",))
    keygen = find_program("ssh-keygen", packages=("openssh-server",))
    kind = ["-t", "rsa", "-b", "1024"] if weak else ["-t", "ed25519"]
    place.call(keygen, ["-q", *kind, "-N", "", "-f", "key"])
    config = SSHD.format(port=port, key=folder / "key", algorithms=WEAK if weak else STRONG)
    return place.start(sshd, ["-D", "-e", "-f", str(place.write("sshd_config", config))])


def redis(folder: Path, port: int, *, weak: bool = True) -> subprocess.Popen[bytes]:
    """A Redis without a password; it keeps nothing.

    Raises:
        PackagesUnavailableError: it is not here and cannot be had.
    """
    place = Place(folder).make()
    server = find_program("redis-server", packages=("redis-server",))
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly", "no"]
    arguments += ["--maxmemory", "16mb"] + ([] if weak else ["--requirepass", "made-up-by-the-lab"])
    return place.start(server, arguments)


VSFTPD = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
run_as_launching_user=YES
anonymous_enable={anonymous}
local_enable={local}
no_anon_password=YES
write_enable=NO
anon_root={root}
ftp_username={user}
secure_chroot_dir={root}
seccomp_sandbox=NO
pasv_address=127.0.0.1
connect_from_port_20=NO
"""


def vsftpd(folder: Path, port: int, *, weak: bool = True) -> subprocess.Popen[bytes]:
    """A vsftpd that lets anybody in, to read one made-up file.

    Raises:
        PackagesUnavailableError: it is not here and cannot be had.
    """
    place = Place(folder).make()
    server = find_program("vsftpd", packages=("vsftpd",))
    root = folder / "site"
    (root / "pub").mkdir(parents=True, exist_ok=True)
    (root / "pub/readme.txt").write_text("Made up by the lab.\n")
    anonymous, local = ("YES", "NO") if weak else ("NO", "YES")
    config = VSFTPD.format(port=port, root=root, user=place.account.pw_name, anonymous=anonymous, local=local)
    return place.start(server, [str(place.write("vsftpd.conf", config))])
