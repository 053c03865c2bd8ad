"""The tools as the services see them."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.imports import ImportFormat
from purple.domain.observations import Observation
from purple.domain.tools import ToolSpec, ToolStatus
from purple.toolkit.formats import look_at
from purple.toolkit.tools.install import Programs
from purple.toolkit.tools.plugins import Plugin, load_plugins


class Catalogue:
    """See `domain.tools.ToolCatalogue`."""

    def __init__(self, programs: Programs, extra: tuple[Path, ...] = ()) -> None:
        self._plugins = load_plugins(extra)
        self._importers = {each.importer.spec.name: each.importer for each in self._plugins.values() if each.recognise}
        self.programs = programs

    def plugin(self, name: str) -> Plugin:
        """One plugin.

        Raises:
            InvalidInputError: no such tool.
        """
        if name in self._importers:
            return self._importers[name]
        if name not in self._plugins:
            raise InvalidInputError(
                f"unknown tool {name!r}", field="tool", value=name, remedy=f"use one of {', '.join(self._plugins)}"
            )
        return self._plugins[name]

    def names(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(self._plugins)

    def spec(self, name: str) -> ToolSpec:
        """One tool."""
        return self.plugin(name).spec

    def validate_options(self, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Filled with defaults."""
        try:
            chosen = self.plugin(name).adapter.Options.model_validate(dict(options))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            known = ", ".join(self.plugin(name).adapter.Options.model_fields)
            raise InvalidInputError(
                f"option {where!r} of {name}: {first['msg']}",
                field=f"options.{name}.{where}",
                value=first["input"],
                remedy=f"{name} takes {known}",
            ) from None
        return chosen.model_dump(mode="json")

    def parse(self, name: str, output: Path, options: Mapping[str, Any] | None = None) -> Iterator[Observation]:
        """Lazily."""
        plugin = self.plugin(name)
        configured = getattr(plugin.parser, "configured", None)
        if configured and options:
            read = configured(plugin.adapter.Options.model_validate(dict(options)))
        else:
            read = plugin.parser.parse
        with output.open("rb") as stream:
            yield from read(stream)

    def formats(self) -> tuple[ImportFormat, ...]:
        """Sorted."""
        return tuple(
            ImportFormat(name, each.spec.title, each.importer.spec.name, tuple(map(str, each.recognise)))
            for name, each in self._plugins.items()
            if each.recognise
        )

    def recognise(self, head: bytes, wanted: str = "") -> ImportFormat:
        """By signatures."""
        known = {each.name: each for each in self.formats()}
        remedy = f"name one with format: {', '.join(known)}"
        if wanted:
            if wanted not in known:
                raise InvalidInputError(f"there is no format {wanted!r}", field="format", value=wanted, remedy=remedy)
            return known[wanted]
        begins = look_at(head)
        fitting = [name for name in known if any(each.matches(begins) for each in self._plugins[name].recognise)]
        if len(fitting) == 1:
            return known[fitting[0]]
        said = f"may be {' or '.join(fitting)}" if fitting else "is of no known format"
        raise InvalidInputError(f"the file {said}: it is {begins}", field="format", remedy=remedy)

    def status(self, name: str) -> ToolStatus:
        """Whether it can be used here."""
        plugin = self.plugin(name)
        spec = plugin.spec
        if spec.imports:
            return ToolStatus(
                name,
                spec.title,
                usable=True,
                version="",
                detail="reads an artifact; no program is run",
                purpose=spec.purpose,
            )
        try:
            found = self.programs.find(plugin)
            return ToolStatus(
                name,
                spec.title,
                usable=True,
                version=self.programs.version(plugin, found),
                detail=str(found.path),
                purpose=spec.purpose,
            )
        except PurpleError as error:
            return ToolStatus(name, spec.title, usable=False, version="", detail=error.line(), purpose=spec.purpose)

    def install(self, name: str, say: Callable[[str], None]) -> ToolStatus:
        """Get a tool's program.

        Raises:
            PackagesUnavailableError: it cannot be had here.
        """
        if not self.spec(name).imports:
            self.programs.install(self.plugin(name), say)
        return self.status(name)
