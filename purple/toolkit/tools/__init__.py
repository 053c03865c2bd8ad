"""The machinery of tool plugins: found, installed, described, run."""
