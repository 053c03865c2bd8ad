"""The authorisations of the facade."""
