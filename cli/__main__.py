"""`python -m cli` is `purple`."""

from cli.main import run

run()
