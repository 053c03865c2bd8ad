"""The reports of the facade."""
