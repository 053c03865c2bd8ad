"""Arjun: parameters that an endpoint takes though nothing shows them."""
