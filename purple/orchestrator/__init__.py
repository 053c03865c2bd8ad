"""Temporal as the adapter of the port Orchestrator."""
