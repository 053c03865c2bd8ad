"""Help and completion load nothing heavy: a shell asks for them at every turn."""

import os
import subprocess
import sys

import pytest

HEAVY = {
    "alembic",
    "altair",
    "elasticsearch",
    "fastapi",
    "httpx",
    "jinja2",
    "ollama",
    "openai",
    "psycopg",
    "pydantic",
    "purple.bootstrap",
    "redis",
    "rich",
    "sqlalchemy",
    "temporalio",
    "vl_convert",
    "weasyprint",
}


@pytest.mark.parametrize("arguments", [("--help",), ("campaign", "start", "--help"), ("no-such-command",)])
def test_help_imports_nothing_heavy(arguments) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cli", *arguments],
        env=os.environ | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    imported = {line.rsplit("|", 1)[1].strip() for line in lines}
    assert "cli.campaign" in imported
    assert not imported & HEAVY
