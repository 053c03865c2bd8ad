"""Risk, of the facade."""
