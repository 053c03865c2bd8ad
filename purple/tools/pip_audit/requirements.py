"""The pinned requirements of a project, and what of them cannot be looked up.

pip-audit is never given a file of the project's: such a file may include others from anywhere on the machine, and one
line that is not pinned ends the whole audit. It gets a list that is written here.
"""

import re
from collections.abc import Iterator
from pathlib import Path

MAX_FILES = 300
MAX_BYTES = 1024**2
_NAMES = re.compile(r"requirements.*\.(txt|lock)\Z|.*[-_.]requirements\.(txt|lock)\Z", re.IGNORECASE)
_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._, -]*\])?\s*={2,3}\s*"
    r"(?P<version>(?:\d+!)?\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.post\d+)?(?:\.dev\d+)?(?:\+[A-Za-z0-9.]+)?)"
    r"\s*(?:;.*|\s--hash=.*)?\Z"
)
_HASH = re.compile(r"\s--hash=\S+")
_NAMED = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_INCLUDES = ("-r", "--requirement")
NOT_ASSESSED = "https://not-pinned.invalid/"
"""Of a requirement by URL pip-audit says that it did not assess it, and asks nobody for it."""


def listed(code: Path) -> tuple[str, ...]:
    """The lines that pip-audit is given for the files of a folder."""
    pinned: dict[str, set[str]] = {}
    missed: dict[str, None] = {}
    files = sorted(each for each in code.rglob("*") if _NAMES.match(each.name) and each.is_file())
    for file in files[:MAX_FILES]:
        if file.stat().st_size > MAX_BYTES:
            missed["a-file-that-is-too-large"] = None
            continue
        for line in _lines(file.read_text(encoding="utf-8", errors="replace")):
            if match := _PINNED.match(line):
                pinned.setdefault(canonical(match["name"]), set()).add(match["version"])
            elif name := _missed(line):
                missed[canonical(name)] = None
    if len(files) > MAX_FILES:
        missed["files-that-are-too-many"] = None
    spellings = {name: _spellings(name) for name in {*pinned, *missed}}
    lines = []
    for name in sorted(pinned):
        for version in sorted(pinned[name]):
            if spelling := next(spellings[name], ""):
                lines.append(f"{spelling}=={version}")
            else:
                missed.setdefault("versions-that-are-too-many")
    return (*lines, *(f"{next(spellings.get(each, iter(())), each)} @ {NOT_ASSESSED}{each}" for each in missed))


def canonical(name: str) -> str:
    """A project's name by PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        stripped = _HASH.sub("", re.sub(r"(?:^|\s)#.*", "", line)).strip()
        if stripped:
            yield stripped


def _missed(line: str) -> str:
    """By what name to say that a line was not looked up; empty for one that names no requirement."""
    option, _, value = line.replace("=", " ", 1).partition(" ") if line.startswith("--") else line.partition(" ")
    if option in _INCLUDES:  # what lies in the code under a usual name is read for itself
        path = Path(value.strip())
        inside = _NAMES.match(path.name) and not path.is_absolute() and ".." not in path.parts and "://" not in value
        return "" if inside else "requirements-elsewhere"
    if line.startswith(("-e", "--editable")) or "://" in line.partition(";")[0]:
        return "requirements-by-address"
    if line.startswith("-"):
        return ""
    named = _NAMED.match(line)
    return named[0][:100] if named else "requirements-by-address"


def _spellings(name: str) -> Iterator[str]:
    """One name in as many spellings as its letters allow: pip-audit refuses one spelling with two versions."""
    letters = [at for at, each in enumerate(name) if each.isalpha()]
    for variant in range(1 << min(len(letters), 10)):
        upper = {at for bit, at in enumerate(letters) if variant >> bit & 1}
        yield "".join(each.upper() if at in upper else each for at, each in enumerate(name))
