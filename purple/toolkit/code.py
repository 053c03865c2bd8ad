"""What parsers of tools that read code share: names inside the repository, and text that survives moved lines."""

import hashlib

from purple.domain.observations import clip
from purple.toolkit.adapter import CODE

_DIGITS = 16


def inside(path: str) -> str:
    """A file as its repository names it, however a tool was pointed at it."""
    plain = path.replace("\\", "/").removeprefix("./").removeprefix("/")
    return clip(plain.removeprefix(f"{CODE}/"), 1000)


def below(path: str) -> str:
    """A file as its repository names it, of a tool that writes whole paths of the machine."""
    _, found, rest = path.partition(f"/{CODE}/")
    return inside(rest if found else path)


def digest_of(text: str) -> str:
    """A short hash of code that is the same wherever the code stands and however it is indented."""
    normal = " ".join(text.split())
    return hashlib.sha256(normal.encode("utf-8", "replace")).hexdigest()[:_DIGITS] if normal else ""


def line_of(number: object) -> int:
    """A line as the database keeps it; 0 where a tool says none that can be."""
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**31 else 0
