"""The profiles that come with Purple, one YAML file each."""

from importlib.resources import files

import yaml
from pydantic import ValidationError

from purple.contracts.profiles import Profile
from purple.domain.errors import InvalidInputError


def profile_names() -> tuple[str, ...]:
    """All profiles, sorted."""
    return tuple(sorted(each.name.removesuffix(".yaml") for each in files(__name__).iterdir() if ".yaml" in each.name))


def load_profile(name: str, field: str = "profile") -> Profile:
    """One profile.

    Raises:
        InvalidInputError: there is none of that name; the remedy lists those that exist.
    """
    known = profile_names()
    if name not in known:
        raise InvalidInputError(
            f"unknown profile {name!r}", field=field, value=name, remedy=f"use one of {', '.join(known)}"
        )
    return parse_profile((files(__name__) / f"{name}.yaml").read_text(encoding="utf-8"), name)


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
