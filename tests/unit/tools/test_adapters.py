"""No adapter of the catalogue lets a value become a flag: hostile targets and options against every one of them."""

import ast
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from purple.domain.errors import InvalidInputError
from purple.domain.tools import ToolJob, ToolTarget
from purple.toolkit.adapter import CODE, Command, ToolOptions, command_of
from purple.toolkit.tools.plugins import Plugin, load_plugins

PLUGINS = {name: plugin for name, plugin in load_plugins().items() if not plugin.spec.imports}
ON_THE_NETWORK = [name for name in PLUGINS if {"host", "service", "url"} & set(PLUGINS[name].spec.target_kinds)]
MARK = "zq7zq7"
"""In every hostile value, so that it is found again in the argument list."""
HOSTILE = st.sampled_from(
    [
        f"-{MARK}", f"--{MARK}=1", f"-oX {MARK}", f"--exec={MARK}", f"$({MARK})", f"`{MARK}`", f";{MARK}", f"|{MARK}",
        f"{MARK}\n-x", f"{MARK}\x00-x", f"'{MARK}\"", f"../{MARK}", f"@{MARK}", f"{MARK} -x", f"{MARK},-x", MARK,
    ]
)  # fmt: skip
PATHS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="#?"), max_size=30)
URLS = st.builds(
    lambda scheme, port, path, query, word: f"{scheme}://app.example.org:{port}/{path}{word}?{query}",
    st.sampled_from(["http", "https"]),
    st.integers(1, 65535),
    PATHS,
    st.sampled_from(["", "a=1", f"a=-{MARK}", "--x"]),
    st.sampled_from(["", f"-{MARK}", f"/-{MARK}/FUZZ", f";{MARK}", f"$({MARK})", f"%0a-{MARK}"]),
)
ADDRESSES = st.sampled_from(["192.0.2.7", "2001:db8::7", "127.0.0.1"])
TARGETS = st.builds(
    ToolTarget,
    st.sampled_from(["app.example.org", "192.0.2.7", "_x.example.org"]),
    ADDRESSES,
    st.integers(0, 65535),
    URLS,
) | st.builds(ToolTarget, HOSTILE, HOSTILE | ADDRESSES, st.integers(0, 65535), HOSTILE | URLS)


def values(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a part of an option model, among them hostile ones, whether or not the model takes them."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        return st.one_of([values(each, definitions) for each in schema["anyOf"]])
    wide = HOSTILE | st.text(max_size=20)
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | wide
    if schema.get("type") == "array":
        return st.lists(values(schema.get("items", {}), definitions), max_size=5)
    plain: dict[str, st.SearchStrategy[Any]] = {
        "integer": st.integers(schema.get("minimum", -10), schema.get("maximum", 100_000)),
        "number": st.floats(schema.get("minimum", 0.01), schema.get("maximum", 1000.0)),
        "boolean": st.booleans(),
        "null": st.none(),
        "string": st.from_regex(schema["pattern"], fullmatch=True) if "pattern" in schema else st.nothing(),
    }
    return plain.get(schema.get("type", ""), st.nothing()) | wide


@st.composite
def options_of(draw: st.DrawFn, model: type[ToolOptions]) -> dict[str, Any]:
    """Options that the model takes."""
    schema = model.model_json_schema()
    chosen: dict[str, Any] = {}
    for name, part in schema.get("properties", {}).items():
        if draw(st.booleans()):
            value = draw(values(part, schema.get("$defs", {})))
            try:
                model.model_validate(chosen | {name: value})
            except ValidationError:
                continue
            chosen[name] = value
    return chosen


def literals(plugin: Plugin) -> tuple[set[str], set[str]]:
    """The flags that an adapter's own source writes, whole and as beginnings of f-strings."""
    tree = ast.parse(inspect.getsource(plugin.adapter))  # type: ignore[arg-type]
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    whole, beginnings = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("-"):
            (beginnings if id(node) in inside else whole).add(node.value)
    return whole, beginnings


def offences(command: Command, whole: set[str], beginnings: set[str]) -> list[str]:
    """Arguments that are read as a flag, or as more than one line, because a value made them so."""
    found = []
    for argument in command.arguments:
        if not argument.isprintable():
            found.append(argument)
        if argument.startswith("-") and argument not in whole:
            beginning = max((each for each in beginnings if argument.startswith(each)), key=len, default="")
            rest = argument.removeprefix(beginning)
            # `--key=value` holds any value, `-T4` only a number or a name
            if not beginning or not (beginning.endswith("=") or re.fullmatch(r"[\w.]*", rest)):
                found.append(argument)
    return found


def job_of(plugin: Plugin, target: ToolTarget, options: Mapping[str, Any], work: Path) -> ToolJob:
    return ToolJob(plugin.spec.name, target, options, 60, work)


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    """Some adapters look at the code of their target, and write what they found beside it: here there is none."""
    folder: Path = tmp_path_factory.mktemp("work")
    (folder / CODE).mkdir()
    return folder


@pytest.mark.parametrize("name", PLUGINS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_value_becomes_a_flag(name: str, work: Path, data: st.DataObject) -> None:
    plugin = PLUGINS[name]
    job = job_of(plugin, data.draw(TARGETS), data.draw(options_of(plugin.adapter.Options)), work)
    try:
        command = command_of(plugin.adapter, job)
    except InvalidInputError:
        return
    assert offences(command, *literals(plugin)) == []
    names = [command.output, *command.files]
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._/-]*", each) and ".." not in each for each in names), names


@pytest.mark.parametrize("name", ON_THE_NETWORK)
def test_every_adapter_makes_a_command_for_a_plain_target(name: str, work: Path) -> None:
    plugin = PLUGINS[name]
    target = ToolTarget("app.example.org", "192.0.2.7", 22, "https://app.example.org:8443/shop/?id=1")
    command = command_of(plugin.adapter, job_of(plugin, target, {}, work))
    assert any("192.0.2.7" in each for each in (*command.arguments, *command.files.values()))
    assert plugin.spec.techniques
    assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", each) for each in plugin.spec.techniques)


class Careless:
    """An adapter as nobody should write one."""

    class Options(ToolOptions):
        """Whatever."""

        extra: str = ""

    @staticmethod
    def command(job: ToolJob, options: ToolOptions) -> Command:
        return Command(("-u", job.target.url, options.model_dump()["extra"]), "out")


def test_a_careless_adapter_is_caught() -> None:
    target = ToolTarget("a.example", "192.0.2.7", 0, "http://a.example/")

    def run(extra: str) -> Command:
        return command_of(Careless, ToolJob("careless", target, {"extra": extra}, 60, Path("/nowhere")))  # type: ignore[arg-type]

    assert offences(run("--os-shell"), {"-u"}, set()) == ["--os-shell"]
    for bad in ("x\n-y", "x\x00"):
        with pytest.raises(InvalidInputError, match="control characters"):
            run(bad)


@pytest.mark.parametrize("part", ["host", "address", "url"])
def test_a_target_that_looks_like_a_flag_is_refused_before_any_adapter_sees_it(work: Path, part: str) -> None:
    target = ToolTarget(**({"host": "a.example", "address": "192.0.2.7", "url": "http://a.example/"} | {part: "-oX"}))
    with pytest.raises(InvalidInputError, match="begins like a flag") as caught:
        command_of(PLUGINS["nmap"].adapter, job_of(PLUGINS["nmap"], target, {}, work))
    assert caught.value.field == f"target.{part}"
