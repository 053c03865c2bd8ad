"""What is likely none, on the facade."""
