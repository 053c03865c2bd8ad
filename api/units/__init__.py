"""The business units of the facade."""
