"""The frameworks that come with Purple, one YAML file each, and those that a deployment adds."""

from collections.abc import Iterable
from pathlib import Path

import yaml
from pydantic import ValidationError

from purple.contracts.frameworks import Framework
from purple.domain.errors import InvalidInputError, NotFoundError
from purple.domain.filters import parse_filter
from purple.domain.target_fields import known_frameworks
from purple.services.shipped import yaml_texts


class Frameworks:
    """Ours, and those in folders that a deployment adds, which come first."""

    def __init__(self, extra: Iterable[Path] = ()) -> None:
        """Find them.

        Args:
            extra: folders of YAML files.

        Raises:
            InvalidInputError: one is no folder.
        """
        self._texts = yaml_texts(__package__, extra, "compliance.extra")
        self._read: dict[str, Framework] = {}

    def names(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(sorted(self._texts))

    def checked(self, names: Iterable[str]) -> tuple[str, ...]:
        """Names of frameworks, each once, in order.

        Raises:
            InvalidInputError: there is none of a name.
        """
        return known_frameworks(names, self._texts)

    def load(self, name: str) -> Framework:
        """One framework.

        Raises:
            NotFoundError: there is none of that name.
            InvalidInputError: it is malformed; the message says where.
        """
        if name not in self._texts:
            raise NotFoundError(
                f"there is no framework {name!r}", value=name, remedy=f"use one of {', '.join(self.names())}"
            )
        if name not in self._read:
            self._read[name] = parse_framework(self._texts[name], name)
        return self._read[name]


def parse_framework(text: str, name: str) -> Framework:
    """A framework from YAML.

    Raises:
        InvalidInputError: names the field that is wrong.
    """
    try:
        found = Framework.model_validate(yaml.safe_load(text))
        for control in found.controls:
            parse_filter(control.targets)
            parse_filter(control.findings)
    except yaml.YAMLError as error:
        raise _malformed(name, f"it is not YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise _malformed(name, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except InvalidInputError as error:
        raise _malformed(name, error.detail) from None
    if found.name != name:
        raise _malformed(name, f"name: it calls itself {found.name}")
    return found


def _malformed(name: str, what: str) -> InvalidInputError:
    return InvalidInputError(f"framework {name}: {what}", field="framework", value=name, remedy="mend its file")
