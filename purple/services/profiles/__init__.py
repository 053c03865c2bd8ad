"""The profiles that come with Purple, one YAML file each."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from purple.contracts.profiles import Limits, Profile, ProfileStep
from purple.domain.errors import InvalidInputError
from purple.services.shipped import yaml_texts

IMPORT = "import-"
ONE_BY_ONE = Limits(parallel=1, retries=0)
"""The first scan of an import reads the file for all of them."""


class Profiles:
    """The profiles of a deployment: ours, and those in folders that it adds, which come first."""

    def __init__(self, extra: Iterable[Path] = (), importers: Mapping[str, str] | None = None) -> None:
        """Find them.

        Args:
            extra: folders of YAML files.
            importers: formats of imports, with the tool that reads each; every one has a profile `import-FORMAT`.
        """
        self._importers = dict(importers or {})
        self._texts = yaml_texts(__name__, extra, "profiles.extra")

    def names(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(sorted(self._texts))

    def load(self, name: str, field: str = "profile") -> Profile:
        """One profile.

        Raises:
            InvalidInputError: there is none of that name, or it is malformed; the remedy says what to do.
        """
        tool = self._importers.get(name.removeprefix(IMPORT))
        if name not in self._texts and name.startswith(IMPORT) and tool:
            steps = (ProfileStep(tool=tool),)
            return Profile(name=name, version=1, title=f"Results as {tool} reads them", tools=steps, limits=ONE_BY_ONE)
        if name not in self._texts:
            raise InvalidInputError(
                f"unknown profile {name!r}", field=field, value=name, remedy=f"use one of {', '.join(self.names())}"
            )
        return parse_profile(self._texts[name], name)


def parse_profile(text: str, name: str) -> Profile:
    """A profile from YAML.

    Raises:
        InvalidInputError: names the field that is wrong.
    """
    try:
        return Profile.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise InvalidInputError(
            f"profile {name} is not YAML: {error}", field="profile", value=name, remedy="mend it"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "profile"
        raise InvalidInputError(
            f"profile {name}: {where}: {first['msg']}", field=where, value=first["input"], remedy="mend that field"
        ) from None
