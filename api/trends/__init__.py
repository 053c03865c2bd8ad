"""Trends and metrics, of the facade."""
