"""The targets of the facade."""
