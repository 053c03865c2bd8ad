"""nuclei: checks written down as templates."""
