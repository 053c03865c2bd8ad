"""Compliance, of the facade."""
