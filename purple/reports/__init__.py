"""Reports as PDF, HTML and JSON."""
