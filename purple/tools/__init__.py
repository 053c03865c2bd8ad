"""Security tools, one folder each."""
