"""pip-audit."""
