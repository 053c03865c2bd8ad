"""The life of vulnerabilities, on the facade."""
