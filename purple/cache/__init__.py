"""Redis: short-lived state that can be lost."""
