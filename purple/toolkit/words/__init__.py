"""Word lists of our own, small on purpose, and what a path that answers means."""

import re
from importlib.resources import files

_REPOSITORY = re.compile(r"(?P<folder>.*/\.(?:git|svn|hg|bzr)/)")
_EXPOSED = re.compile(
    r"/(?:\.env(?:\.\w+)?|\.htpasswd|\.npmrc|\.pypirc|\.netrc|\.aws/credentials|\.ssh/\w+|id_[a-z0-9]+|\.DS_Store"
    r"|[^/]+\.(?:sql|sqlite3?|db|bak|old|orig|swp|pem|key|p12|pfx|kdbx|tar|tgz|zip|gz|7z)"
    r"|wp-config\.php\.\w+|(?:docker-compose|application|database|secrets?|credentials)\.(?:ya?ml|json|ini|properties))\Z",
    re.IGNORECASE,
)


def words(name: str) -> str:
    """A list, one word a line: `paths`, `parameters` or `logins` (user and password, with a colon)."""
    return (files(__name__) / f"{name}.txt").read_text(encoding="utf-8")


def meaning_of(path: str) -> tuple[str, str]:
    """The shared weakness of a path that is served, and where it lies; nothing and the path itself for any other.

    Every file of a repository is one flaw, that of its folder.
    """
    if found := _REPOSITORY.match(path):
        return "repository-exposed", found["folder"]
    return ("file-exposed" if _EXPOSED.search(path) else ""), path
