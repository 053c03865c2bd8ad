"""ssh-audit: the algorithms, keys and known attacks of SSH services."""
