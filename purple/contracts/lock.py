"""The lock file of the contracts: `python -m purple.contracts.lock` rewrites it."""

import json
from pathlib import Path
from typing import Any

from purple.contracts import batches, campaigns, gates, names, profiles, undos
from purple.contracts.base import Contract

LOCK = Path(__file__).with_name("contracts.lock.json")


def schemas() -> dict[str, Any]:
    """Every name and every contract's JSON schema, as it is now."""
    models = {
        name: model.model_json_schema()
        for module in (batches, campaigns, gates, profiles, undos)
        for name, model in vars(module).items()
        if isinstance(model, type) and issubclass(model, Contract) and model is not Contract
    }
    constants = {name: value for name, value in vars(names).items() if name.isupper()}
    return {"names": constants, "contracts": models}


def text() -> str:
    """The lock file's content."""
    return json.dumps(schemas(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    LOCK.write_text(text())
