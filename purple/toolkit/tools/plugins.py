"""Finds tool plugins: our own folders, folders a deployment adds, and packages of the entry point `purple.tools`."""

import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Literal, Self, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from purple.domain.errors import PluginError
from purple.domain.tools import Intrusiveness, ToolSpec, Topic
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.adapter import ImportOptions, ToolAdapter, ToolParser
from purple.toolkit.formats import Signature

OURS = Path(__file__).parents[2] / "tools"
_EVERY_KIND = ("host", "service", "url", "repository", "image")


class _Version(BaseModel):
    model_config = ConfigDict(extra="forbid")
    arguments: tuple[str, ...]
    """What makes the program tell it; none for a script whose own text does, where starting it takes seconds."""
    pattern: str


class _Install(BaseModel):
    model_config = ConfigDict(extra="forbid")
    program: str
    packages: tuple[str, ...] = ()
    """Debian packages that hold the program."""
    python: str = ""
    """A hash-locked requirements file in the tool's folder."""
    go: str = Field(default="", pattern=r"^$|^[A-Za-z0-9][A-Za-z0-9./_~-]*@v\d[A-Za-z0-9.+-]*$")
    """`module@version` of a Go program, built where the machine has no program of the name."""
    version: _Version | None = None


class _Manifest(BaseModel):
    """The schema of `tool.yaml`."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")
    title: str
    purpose: str
    target_kinds: tuple[str, ...] = Field(min_length=1)
    role: str = Field(pattern="^(recon|scan)$")
    timeout_s: int = Field(ge=1, le=604_800)
    intrusiveness: Intrusiveness
    weight: int = Field(default=1, ge=1)
    cpu: float = Field(default=0.5, ge=0.05, le=64)
    memory_mb: int = Field(default=256, ge=16, le=1_048_576)
    examines: tuple[Topic, ...] = ()
    techniques: tuple[str, ...] = ()
    fingerprint_fields: tuple[str, ...] = ()
    exit_codes: dict[int, str] = Field(default_factory=dict)
    nothing: tuple[int, ...] = ()
    remedies: dict[int, str] = Field(default_factory=dict)
    trouble: str = ""
    changes: bool = False
    approval: bool = False
    instructions: str = ""
    sees: tuple[str, ...] = ()
    settles: tuple[str, ...] = ()
    install: _Install | Literal["none"]
    """`none` where no program is run and an artifact is read instead."""
    recognise: tuple[Signature, ...] = ()
    """How a file begins that the parser reads, so that results of a run elsewhere can be imported."""

    @model_validator(mode="after")
    def _declares_success(self) -> Self:
        if self.install != "none" and not self.exit_codes:
            raise ValueError("exit_codes: say which of them mean that the tool did its work")
        try:
            re.compile(self.trouble)
        except re.error as error:
            raise ValueError(f"trouble: {error}") from None
        return self

    @model_validator(mode="after")
    def _knows_weaknesses(self) -> Self:
        if unknown := {*self.sees, *self.settles} - CATALOGUE.keys():
            raise ValueError(f"sees, settles: {min(unknown)} is no weakness that tools share")
        return self

    @model_validator(mode="after")
    def _says_how_to_undo(self) -> Self:
        if self.changes != bool(self.instructions.strip()):
            raise ValueError("instructions: a tool with `changes` says what a person does when its undo keeps failing")
        return self


@dataclass(frozen=True, slots=True)
class Plugin:
    """One tool's folder, loaded."""

    spec: ToolSpec
    folder: Path
    adapter: ToolAdapter
    parser: ToolParser
    recognise: tuple[Signature, ...] = ()

    @property
    def importer(self) -> "Plugin":
        """What imports its results: itself where it runs no program, else its parser without its program."""
        if self.spec.imports:
            return self
        spec = replace(
            self.spec,
            name=f"import-{self.spec.name}",
            title=f"{self.spec.title} import",
            target_kinds=_EVERY_KIND,
            role="scan",
            intrusiveness=Intrusiveness.PASSIVE,
            exit_codes={},
            install={},
            imports=True,
            shares=True,
        )
        return replace(self, spec=spec, adapter=cast("ToolAdapter", SimpleNamespace(Options=ImportOptions)))


def load_plugins(extra: Iterable[Path] = ()) -> dict[str, Plugin]:
    """Every plugin by name.

    Raises:
        PluginError: one of them cannot be loaded, or two have one name.
    """
    found: dict[str, Plugin] = {}
    for folder, package in _places(extra):
        plugin = _load(folder, package)
        if plugin.spec.name in found:
            raise PluginError(f"two tools are called {plugin.spec.name}: {found[plugin.spec.name].folder} and {folder}")
        found[plugin.spec.name] = plugin
    return dict(sorted(found.items()))


def plugin_names(extra: Iterable[Path] = ()) -> list[str]:
    """Their names alone, from their manifests; no code of theirs is loaded."""
    manifests = (yaml.safe_load((folder / "tool.yaml").read_text(encoding="utf-8")) for folder, _ in _places(extra))
    return sorted(manifest["name"] for manifest in manifests)


def _places(extra: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for manifest in sorted(OURS.glob("*/tool.yaml")):
        yield manifest.parent, f"purple.tools.{manifest.parent.name}"
    for folder in extra:
        if not folder.is_dir():
            raise PluginError(f"{folder} is no folder", field="tools.extra", remedy="name folders that hold tools")
        for manifest in sorted(folder.glob("*/tool.yaml")):
            yield manifest.parent, ""
    for point in entry_points(group="purple.tools"):
        spec = importlib.util.find_spec(point.value)
        if spec is None or spec.origin is None:
            raise PluginError(f"the tool {point.name} names the package {point.value}, which is not there")
        yield Path(spec.origin).parent, point.value


def _load(folder: Path, package: str) -> Plugin:
    name = folder.name
    try:
        manifest = _Manifest.model_validate(yaml.safe_load((folder / "tool.yaml").read_text(encoding="utf-8")))
        adapter, parser = (_module(folder, package, each) for each in ("adapter", "parser"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise PluginError(f"tool {name}: tool.yaml: {where}: {first['msg']}", field=where) from error
    except Exception as error:
        raise PluginError(f"tool {name} does not load: {type(error).__name__}: {error}") from error
    imports = manifest.install == "none"
    wanted = [(adapter, "Options"), (parser, "parse")]
    wanted += [] if imports else [(adapter, "command")]
    wanted += [(adapter, "undo")] if manifest.changes else []
    for module, attribute in wanted:
        if not hasattr(module, attribute):
            raise PluginError(f"tool {name}: {module.__name__} has no {attribute}")
    values: dict[str, Any] = manifest.model_dump(exclude={"recognise"}) | {"imports": imports}
    if imports:
        values["shares"] = bool(manifest.recognise)
        if "artifact" not in adapter.Options.model_fields:
            raise PluginError(f"tool {name} runs no program, and its options name no artifact")
        values["install"] = {}
    spec = ToolSpec(**values)
    return Plugin(spec, folder, cast("ToolAdapter", adapter), cast("ToolParser", parser), manifest.recognise)


def _module(folder: Path, package: str, name: str) -> ModuleType:
    if package:
        return importlib.import_module(f"{package}.{name}")
    unique = f"purple_tool_{folder.name}_{name}"
    spec = importlib.util.spec_from_file_location(unique, folder / f"{name}.py")
    if spec is None or spec.loader is None:
        raise PluginError(f"tool {folder.name} has no {name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    spec.loader.exec_module(module)
    return module
