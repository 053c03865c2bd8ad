"""Searching records: scans, events, samples."""
