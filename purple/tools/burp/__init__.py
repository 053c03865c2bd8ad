"""Burp Suite: issues that it exports."""
