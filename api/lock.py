"""The lock file of the first version of the API: `python -m api.lock` rewrites it."""

import json
import sys
from pathlib import Path
from typing import Any

from api.app import create_app
from api.errors import MEDIA_TYPE
from purple.settings import Settings

LOCK = Path(__file__).with_name("v1.lock.json")
V1 = "/api/v1/"
WORDS = frozenset({"description", "summary", "title", "operationId"})


def text() -> str:
    """The paths of version 1 and the schemas that they use, as OpenAPI has them, each on a line."""
    document = create_app(Settings(_env_file=None)).openapi()
    paths = {path: told for path, told in document["paths"].items() if path.startswith(V1)}
    known: dict[str, Any] = document["components"]["schemas"]
    used: set[str] = set()
    ahead = list(_named(paths))
    while ahead:
        name = ahead.pop()
        if name not in used:
            used.add(name)
            ahead += _named(known[name])
    made = paths | {name: known[name] for name in used}
    lines = [f"{json.dumps(name)}: {json.dumps(_bare(made[name]), sort_keys=True)}" for name in sorted(made)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _bare(told: Any) -> Any:
    """Without words for people, and without the problems that every route may answer with."""
    if isinstance(told, list):
        return [_bare(each) for each in told]
    if not isinstance(told, dict):
        return told
    return {
        name: _bare(each)
        for name, each in told.items()
        if not (name in WORDS and isinstance(each, str)) and not (name.isdecimal() and MEDIA_TYPE in str(each))
    }


def _named(told: Any) -> list[str]:
    """Schemas that something refers to."""
    if isinstance(told, dict):
        own = [told["$ref"].rsplit("/", 1)[1]] if isinstance(told.get("$ref"), str) else []
        return own + [name for each in told.values() for name in _named(each)]
    return [name for each in told for name in _named(each)] if isinstance(told, list) else []


if __name__ == "__main__":
    LOCK.write_text(text())
    sys.stdout.write(f"wrote {LOCK.name}\n")
