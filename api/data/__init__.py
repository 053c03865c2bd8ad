"""What others publish, of the facade."""
