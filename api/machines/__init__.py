"""Which targets are one machine."""
