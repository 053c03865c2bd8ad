"""The facade: starts workflows and serves state."""
