"""The undos of the facade."""
