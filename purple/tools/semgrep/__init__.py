"""Semgrep."""
