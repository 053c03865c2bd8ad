"""Checkov."""
