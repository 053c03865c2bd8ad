"""Frozen models of everything that crosses Temporal."""
