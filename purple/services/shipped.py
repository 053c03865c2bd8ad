"""YAML files that come with Purple in a package, and those of folders that a deployment adds."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from purple.domain.errors import InvalidInputError


def yaml_texts(package: str, extra: Iterable[Path], field: str) -> dict[str, str]:
    """Their texts by the name of the file; one of a folder stands over ours of the same name.

    Args:
        package: that holds ours.
        extra: folders, the first before the others.
        field: the setting that names them.

    Raises:
        InvalidInputError: one is no folder.
    """
    texts: dict[str, str] = {}
    for folder in extra:
        if not folder.is_dir():
            raise InvalidInputError(
                f"{folder} is no folder", field=field, value=folder, remedy="name folders that hold YAML files"
            )
        for path in sorted(folder.glob("*.yaml")):
            texts.setdefault(path.stem, path.read_text(encoding="utf-8"))
    for each in files(package).iterdir():
        if each.name.endswith(".yaml"):
            texts.setdefault(each.name.removesuffix(".yaml"), each.read_text(encoding="utf-8"))
    return texts
