"""Measures of speed and memory, side by side with a baseline of the same run."""
