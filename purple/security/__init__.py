"""Tokens and the guard of outbound requests."""
