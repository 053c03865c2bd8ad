"""The findings of the facade."""
