"""Comparisons of the facade."""
