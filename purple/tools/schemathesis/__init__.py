"""Schemathesis: what an API does with input that its own description does not expect."""
