"""Version 2 of the API, where it is better than the first: see docs/api-v2.md."""
