"""The profiles of the facade."""
