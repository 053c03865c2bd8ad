"""The steps of a campaign: one class a concern, ports injected, heartbeats."""
