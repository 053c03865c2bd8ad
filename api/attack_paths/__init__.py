"""Attack paths, of the facade."""
