"""Entities in and out of their tables."""
