"""Processes: one role a task queue, and the relay."""
