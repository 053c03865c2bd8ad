"""Nmap: ports and services."""
