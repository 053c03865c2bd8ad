"""Durable definitions, deterministic."""
