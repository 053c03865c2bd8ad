"""Services that are weak on purpose, on loopback, with what a campaign must find in them."""
