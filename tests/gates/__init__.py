"""The gate of a host, counted at the host: a Purple of its own, and listeners that made tools visit."""
