"""Small files of the stack: written whole or not at all, and readable by their owner alone."""

import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
import threading
from pathlib import Path

from purple.stack.processes import ServerUser


def write_private(path: Path, text: str, owner: ServerUser | None = None) -> None:
    """Replace a file in one step; mode 0600.

    Raises:
        OSError: the folder is missing or full; the old content stays.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        if owner:
            os.chown(name, owner.uid, owner.gid)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def own_folder(path: Path, owner: ServerUser | None) -> Path:
    """A folder that the server's user alone may enter; made when missing."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    if owner:
        os.chown(path, owner.uid, owner.gid)
    return path


def reachable(path: Path, user: ServerUser | None) -> bool:
    """Whether `user` may walk to `path` and use it (read a file, enter a folder); always true without a user.

    Judged by owner and mode bits, which is what a fresh system folder has; access lists are not looked at.
    """
    if user is None:
        return True
    resolved = path.resolve()
    while not resolved.exists():
        resolved = resolved.parent

    def allows(each: Path, owner_bit: int, other_bit: int) -> bool:
        status = each.stat()
        return bool(status.st_mode & (owner_bit if status.st_uid == user.uid else other_bit))

    folders = [each for each in (resolved, *resolved.parents) if each.is_dir()]
    return all(allows(each, stat.S_IXUSR, stat.S_IXOTH) for each in folders) and (
        resolved.is_dir() or allows(resolved, stat.S_IRUSR, stat.S_IROTH)
    )


def readable_copy(source: Path, cache: Path, user: ServerUser | None) -> Path:
    """`source`, or a copy of it in the cache where the server's user cannot reach the original.

    A folder is copied whole. The copy is keyed by the place, size and time of the original.
    """
    if reachable(source, user):
        return source
    status = source.stat()
    identity = f"{source.resolve()} {status.st_mtime_ns} {status.st_size}"
    key = f"{source.name}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    target = cache / "copies" / key / source.name
    if not target.exists():
        target.parent.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent.parent) as scratch:
            work = Path(scratch) / key
            work.mkdir()
            if source.is_dir():
                shutil.copytree(source, work / source.name, symlinks=True)
            else:
                shutil.copy2(source, work / source.name)
            for each in (work, *work.rglob("*")):
                if not each.is_symlink():
                    each.chmod(each.stat().st_mode | (0o755 if each.is_dir() else 0o444))
            if not target.exists():
                work.rename(target.parent)
    return target


class Secrets:
    """Random passwords of the stack's servers, made once and kept (0600). Safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def get(self, name: str) -> str:
        """The password of that name, 32 characters that need no quoting in a URL."""
        with self._lock:
            known: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}
            if name not in known:
                known[name] = secrets.token_urlsafe(24)
                write_private(self._file, json.dumps(known))
            return known[name]
