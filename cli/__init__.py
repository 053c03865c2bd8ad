"""`purple …`, the command line."""
