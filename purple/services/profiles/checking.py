"""What is wrong with a profile's file: every line of it, before a campaign finds out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from purple.contracts.profiles import Profile, ProfileStep
from purple.domain.errors import PurpleError
from purple.domain.tools import ToolCatalogue

MAX_BYTES = 256 * 1024
_URL = "urn:purple:profile"
_FACTS = frozenset({"http", "tls", "ssh", "ftp", "redis"})
"""Conditions on what recon finds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong."""

    line: int
    """From 1; 0 for the whole file."""
    field: str
    message: str
    remedy: str


def schema(tools: ToolCatalogue) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a profile, with the names of the tools that there are."""
    made = Profile.model_json_schema()
    made["$defs"]["ProfileStep"]["properties"]["tool"]["enum"] = list(tools.names())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": _URL, **made}


def check(text: str, name: str, tools: ToolCatalogue) -> list[Finding]:
    """Everything that is wrong with a profile, in the order of its lines.

    Args:
        text: the file's content.
        name: the file's name without its ending, which must be the profile's.
        tools: those that there are.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        return [Finding(0, "", f"it is larger than {MAX_BYTES} bytes", "a profile is a few lines")]
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        given = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or type(error).__name__
        return [Finding(mark.line + 1 if mark else 0, "", f"not YAML: {said}", "mend that line")]
    found = list(_twice(node))
    try:
        profile = Profile.model_validate(given)
    except ValidationError as error:
        found += [_invalid(each["loc"], each["msg"], node) for each in error.errors()]
    else:
        found += [
            Finding(_line(node, loc), _dotted(loc), message, remedy)
            for loc, message, remedy in _senseless(profile, name, tools)
        ]
    return sorted(found, key=lambda each: each.line)


def _invalid(loc: Sequence[int | str], message: str, node: Any) -> Finding:
    return Finding(_line(node, loc), _dotted(loc), message, "see `purple profile schema`")


def _dotted(loc: Sequence[int | str]) -> str:
    return ".".join(map(str, loc))


def _line(node: Any, loc: Sequence[int | str]) -> int:
    """The line of a field, or of what it is missing from."""
    line: int = node.start_mark.line + 1 if node is not None else 0
    for key in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next((each for each in node.value if each[0].value == str(key)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _twice(node: Any) -> Iterator[Finding]:
    """Keys that a mapping has twice: YAML takes the last one and says nothing."""
    waiting, seen = [node], set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:  # an alias may lead back
            continue
        seen.add(id(each))
        if isinstance(each, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in each.value:
                if str(key.value) in keys:
                    yield Finding(key.start_mark.line + 1, str(key.value), "it is there twice", "leave one out")
                keys.add(str(key.value))
                waiting.append(value)
        elif isinstance(each, yaml.SequenceNode):
            waiting.extend(each.value)


_Told = tuple[tuple[int | str, ...], str, str]


def _senseless(profile: Profile, name: str, tools: ToolCatalogue) -> Iterator[_Told]:
    if profile.name != name:
        yield ("name",), f"the file is called {name}, the profile {profile.name}", "give both one name"
    if not profile.recon and not profile.tools:
        yield ("tools",), "it runs nothing", "name a tool"
    for phase in ("recon", "tools"):
        steps: tuple[ProfileStep, ...] = getattr(profile, phase)
        before: set[tuple[str, str]] = set()
        for number, step in enumerate(steps):
            where = (phase, number)
            yield from _step(profile, step, where, tools)
            if (step.tool, step.when) in before:
                said = f"{step.tool} runs there twice, and the second run would be the first one"
                yield where, said, "leave one out"
            before.add((step.tool, step.when))


def _step(profile: Profile, step: ProfileStep, where: tuple[int | str, ...], tools: ToolCatalogue) -> Iterator[_Told]:
    try:
        spec = tools.spec(step.tool)
    except PurpleError as error:
        yield (*where, "tool"), error.detail, error.remedy
        return
    if not spec.imports or step.options:
        try:
            tools.validate_options(step.tool, step.options)
        except PurpleError as error:
            yield (*where, "options"), error.detail, error.remedy
    if where[0] == "recon" and step.when != "always":
        yield (*where, "when"), "recon runs before anything is found", "leave the condition out"
    if step.when in _FACTS and not profile.recon and step.when not in {"http", "tls"}:
        yield (*where, "when"), f"no recon step finds {step.when}", "add one, such as nmap"
    takes = set(spec.target_kinds)
    if step.when in _FACTS and not takes & {"service", "url", "host"}:
        yield (*where, "when"), f"{step.tool} takes {', '.join(spec.target_kinds)} only", "leave the condition out"
    if step.when == "repository" and "repository" not in takes:
        yield (*where, "when"), f"{step.tool} takes no repository", "choose another tool"
