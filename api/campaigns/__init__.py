"""The campaigns of the facade."""
