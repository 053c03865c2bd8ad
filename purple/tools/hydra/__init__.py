"""Hydra: logins that a handful of well-known passwords open."""
