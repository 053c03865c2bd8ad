"""What was set, where, and whether it can be: for people who look for a mistake."""

import difflib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin
from urllib.parse import urlsplit, urlunsplit

from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from purple.settings.app import Settings, stack_env_file
from purple.settings.paths import default_home

PREFIX = "PURPLE_"
OURS = frozenset({"PURPLE_READY_FILE", "PURPLE_LAB_SECRET", "PURPLE_RECORD"})
"""What our own processes tell each other; no settings."""
DEFAULT = "default"
HIDDEN = "********"
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Source:
    """One place where settings come from."""

    name: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """One variable that is wrong or unknown."""

    name: str
    source: str
    detail: str
    remedy: str = ""
    fatal: bool = True
    """Whether nothing starts with it; else it is merely without effect."""

    def line(self) -> str:
        """For a terminal."""
        return f"{self.name} ({self.source}): {self.detail}" + (f" — {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting as it is."""

    name: str
    value: Any
    source: str


def sources() -> tuple[Source, ...]:
    """Where this process's settings come from; the first stands over the next."""
    home = Path(os.environ.get("PURPLE_STACK__HOME") or default_home())
    files = [Path(".env"), stack_env_file(home)]
    read = [Source(str(file), _ours(dotenv_values(file))) for file in files if os.access(file, os.R_OK)]
    return (Source("environment", _ours(os.environ)), *read)


def _ours(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name.upper(): value or "" for name, value in values.items() if name.upper().startswith(PREFIX)}


def known() -> dict[str, FieldInfo]:
    """Every setting by its variable's name."""
    return {
        f"{PREFIX}{room}__{name}".upper(): field
        for room, model in _rooms().items()
        for name, field in model.model_fields.items()
    }


def _rooms() -> dict[str, type[BaseModel]]:
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def problems(given: Iterable[Source] | None = None) -> Iterator[Problem]:
    """What is wrong or unknown, in the order in which it was written."""
    names = known()
    whole = {f"{PREFIX}{room}".upper() for room in _rooms()}
    for source in sources() if given is None else given:
        for name, value in source.values.items():
            if name in names:
                yield from _wrong(name, value, source.name, names[name])
            elif name in whole:
                yield from _wrong_room(name, value, source.name)
            elif name not in OURS:
                yield _unknown(name, source.name, names)


def _wrong(name: str, value: str, source: str, field: FieldInfo) -> Iterator[Problem]:
    room, _, setting = name.removeprefix(PREFIX).lower().partition("__")
    parsed: Any = value
    if get_origin(field.annotation) in {tuple, dict}:
        try:
            parsed = json.loads(value)
        except ValueError:
            said = "it" if secret(field) else _cut(value)
            example = 'a list such as ["one", "two"]' if get_origin(field.annotation) is tuple else 'it as {"name": 1}'
            yield Problem(name, source, f"{said} is no JSON", f"write {example}")
            return
    try:
        _rooms()[room].model_validate({setting: parsed})
    except ValidationError as error:
        said = f", not {_cut(value)}" if not secret(field) else ""
        yield Problem(name, source, f"{error.errors()[0]['msg']}{said}")


def _wrong_room(name: str, value: str, source: str) -> Iterator[Problem]:
    try:
        _rooms()[name.removeprefix(PREFIX).lower()].model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        yield Problem(name, source, f"{where}: {first['msg']}" if where else first["msg"], f"set {name}__… one by one")


def _unknown(name: str, source: str, names: Iterable[str]) -> Problem:
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    remedy = f"did you mean {near[0]}?" if near else "`purple config show` lists every setting"
    room, split, _ = name.removeprefix(PREFIX).lower().partition("__")
    return Problem(name, source, "there is no such setting", remedy, fatal=bool(split) and room in _rooms())


def shown(settings: Settings, given: Iterable[Source] | None = None) -> Iterator[Shown]:
    """Every setting, with secrets hidden."""
    places = tuple(sources() if given is None else given)
    for name, field in known().items():
        room, _, setting = name.removeprefix(PREFIX).lower().partition("__")
        value = getattr(getattr(settings, room), setting)
        source = next((place.name for place in places if name in place.values), DEFAULT)
        if source == DEFAULT:
            source = next((p.name for p in places if f"{PREFIX}{room}".upper() in p.values), DEFAULT)
        yield Shown(name, HIDDEN if secret(field) and value is not None else presentable(value), source)


def secret(field: FieldInfo) -> bool:
    """Whether its value is for nobody's eyes."""
    return "SecretStr" in str(field.annotation)


def presentable(value: Any) -> Any:
    """As JSON, without the password of a URL."""
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, (tuple, list)):
        return [presentable(each) for each in value]
    if isinstance(value, str):
        return _without_password(value)
    return value if isinstance(value, (int, float, bool)) or value is None else str(value)


def _without_password(text: str) -> str:
    try:
        parts = urlsplit(text)
        password = parts.password
    except ValueError:
        return text
    if not password:
        return text
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{HIDDEN}@{place}"))


def _cut(value: str) -> str:
    text = presentable(value)
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
