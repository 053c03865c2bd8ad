"""Wapiti: web applications."""
