"""Use cases over ports and a unit of work."""
