"""Trivy."""
