"""Gitleaks."""
