"""A process imports the client of the model that is configured, and no other."""

import subprocess
import sys

import pytest

CHOOSES = """
import sys
from purple import ai
from purple.settings.app import AiSettings
found = ai.provider(AiSettings(provider=sys.argv[1], model="a-model"))
print(found and found.name, "openai" in sys.modules)
"""


@pytest.mark.parametrize(
    ("provider", "told"),
    [("none", "None False"), ("ollama", "ollama/a-model False"), ("openai", "openai/a-model True")],
)
def test_only_the_client_of_the_configured_model_is_imported(provider, told) -> None:
    done = subprocess.run([sys.executable, "-c", CHOOSES, provider], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == told
