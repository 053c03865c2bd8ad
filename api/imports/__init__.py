"""The imports of the facade."""
