"""OSV-Scanner."""
