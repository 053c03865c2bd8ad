"""Schema revisions, in order; see `purple.db.migrate`."""
