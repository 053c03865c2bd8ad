"""Nessus: scans that it exports."""
